"""Errors of the robot's motion alone."""

from collections.abc import Callable

import numpy as np

from bench.verdicts.clips import SIDEWAYS, Change, changed, moved_robots, with_robot_joints
from stages.evaluation.plausibility.clip import Clip
from stages.robot.model import load_g1

SHOWS_RAD = 0.15
"""A joint that moves less, root mean square, may as well stand still."""


def slid_robot(metres: float) -> Callable[[Clip], Clip]:
    """The robot alone drifts sideways."""
    return lambda clip: changed(clip, **moved_robots(clip, lambda s: metres * s * SIDEWAYS))


def raised_robot(metres: float) -> Callable[[Clip], Clip]:
    """The robot floats, or sinks."""
    return lambda clip: changed(
        clip, **moved_robots(clip, lambda s: 0 * s + np.array([0.0, 0.0, metres]))
    )


def frozen_joint(rank: int) -> Change:
    """One of the joints that move most stays at its mean."""

    def change(clip: Clip) -> Clip | None:
        most = [
            np.sort(-part.joints.std(0))[rank] for parts in clip.robots.values() for part in parts
        ]
        if -min(most) < SHOWS_RAD:
            return None

        def stop(joints: np.ndarray) -> np.ndarray:
            joint = np.argsort(-joints.std(0))[rank]
            stopped = joints.copy()
            stopped[:, joint] = joints[:, joint].mean()
            return stopped

        return with_robot_joints(clip, stop)

    return change


def frozen(clip: Clip) -> Clip:
    """All joints stay at their means; the root goes on."""
    return with_robot_joints(clip, lambda joints: np.repeat(joints.mean(0)[None], len(joints), 0))


def mirrored_robot(clip: Clip) -> Clip:
    """The robot's left does what the person's right does."""
    names = load_g1().joint_names
    order = [
        names.index(
            name.replace("left", "right") if "left" in name else name.replace("right", "left")
        )
        for name in names
    ]
    sign = np.array([-1.0 if "roll" in name or "yaw" in name else 1.0 for name in names])
    return with_robot_joints(clip, lambda joints: sign * joints[:, order])


def shaking_robot(radians: float) -> Callable[[Clip], Clip]:
    """The robot's joints tremble from frame to frame."""
    rng = np.random.default_rng(0)
    return lambda clip: with_robot_joints(
        clip, lambda q: q + rng.normal(scale=radians, size=q.shape)
    )


def arm_through_trunk(clip: Clip) -> Clip:
    """An arm is where the trunk is, for half of the clip."""
    names = load_g1().joint_names

    def turn(joints: np.ndarray) -> np.ndarray:
        turned = joints.copy()
        turned[len(joints) // 2 :, names.index("left_shoulder_roll_joint")] = -1.2
        return turned

    return with_robot_joints(clip, turn)


def beyond_limits(clip: Clip) -> Clip:
    """A knee bends the wrong way by ten degrees for some frames."""
    robot = load_g1()
    knee = robot.joint_names.index("left_knee_joint")

    def turn(joints: np.ndarray) -> np.ndarray:
        turned = joints.copy()
        turned[: len(joints) // 5, knee] = robot.lower[knee] - np.radians(10)
        return turned

    return with_robot_joints(clip, turn)
