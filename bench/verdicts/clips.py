"""A clip that is open, with some of its parts changed in memory."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from stages.artifacts.robot_motion import RobotMotion
from stages.evaluation.plausibility.clip import Clip

Change = Callable[[Clip], Clip | None]
"""Puts an error into a clip; None: it would not show in this one."""
SIDEWAYS = np.array([1.0, 0.0, 0.0])


def changed(clip: Clip, **parts: Any) -> Clip:
    """The clip with some of its parts replaced; all else is what has been read already."""
    other = Clip(clip.data, clip.video)
    other.__dict__.update({**clip.__dict__, **parts})
    return other


def moved_people(clip: Clip, offset: Callable[[np.ndarray], np.ndarray]) -> dict[str, Any]:
    """People moved; offset: of frames' shares of the clip, 0 to 1, metres."""
    motions, joints = {}, {}
    for person, motion in clip.motions.items():
        shift = offset(shares_of(len(motion.frames)))
        motions[person] = replace(motion, root_transl=motion.root_transl + shift)
        joints[person] = clip.joints[person] + shift[:, None]
    return {"motions": motions, "joints": joints}


def moved_robots(clip: Clip, offset: Callable[[np.ndarray], np.ndarray]) -> dict[str, Any]:
    def moved(part: RobotMotion) -> RobotMotion:
        return replace(part, root_pos=part.root_pos + offset(shares_of(len(part.joints))))

    return {"robots": {who: [moved(part) for part in parts] for who, parts in clip.robots.items()}}


def shares_of(frames: int) -> np.ndarray:
    return np.linspace(0, 1, frames)[:, None]


def with_robot_joints(clip: Clip, change: Callable[[np.ndarray], np.ndarray]) -> Clip:
    robots = {
        who: [replace(part, joints=change(part.joints.astype(np.float64))) for part in parts]
        for who, parts in clip.robots.items()
    }
    return changed(clip, robots=robots)
