"""From a retargeted motion to the record that is written."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from jaxtyping import Float

from stages.artifacts.robot_motion import RobotMotion
from stages.geometry.rotations import wxyz_from_matrix
from stages.robot.model import Robot
from stages.robot.rest import link_trajectories
from stages.stage4_retarget.gaps import Part
from stages.stage4_retarget.quality import Quality, worst
from stages.stage4_retarget.retarget import Retargeted


def robot_motion(
    robot: Robot, person: int, part: Part, motion: Retargeted, quality: Quality, fps: float
) -> RobotMotion:
    """Joints, root and the pose of every drawn link, frame by frame, from the joints as stored.

    Link poses are computed from the float32 joints that the file holds, so that a reader's own
    forward kinematics finds the same.
    """
    joints = np.clip(motion.joints.astype(np.float32), *_float32_limits(robot))
    R, p = link_trajectories(robot, motion.R_world_root, motion.p_world_root, joints.astype(float))
    drawn = np.array(robot.visual)
    return RobotMotion(
        fps=fps,
        joint_names=list(robot.joint_names),
        link_names=[name for name, seen in zip(robot.link_names, drawn, strict=True) if seen],
        joints=joints,
        root_pos=motion.p_world_root,
        root_quat_xyzw=_xyzw(motion.R_world_root),
        link_pos=p[:, drawn],
        link_quat_xyzw=_xyzw(R[:, drawn]),
        left_foot=motion.contacts[:, 0],
        right_foot=motion.contacts[:, 1],
        frame_numbers=part.frame_numbers.astype(np.int32),
        times_s=part.motion.times_s,
        seen=~part.motion.interpolated,
        present=np.ones(len(joints), bool),
        metadata={
            "person": person,
            "quaternion_order": "xyzw",
            "units": "m, rad",
            "up_axis": "z",
            "robot": robot.name,
            **_measured(quality, motion.term_costs),
        },
    )


def _measured(quality: Quality, term_costs: dict[str, float]) -> dict[str, str]:
    return {"quality": json.dumps(asdict(quality)), "residuals": json.dumps(term_costs)}


@dataclass(frozen=True)
class Solved:
    """A part's motion as it is written, and how it was found."""

    motion: RobotMotion
    found: Retargeted
    quality: Quality

    @property
    def frames(self) -> str:
        first, last = self.motion.frame_numbers[[0, -1]]
        return f", frames {first} to {last}"

    @property
    def note(self) -> str:
        """A few words on the result."""
        text = (
            f"{len(self.motion.joints)} frames at {self.motion.fps:g} fps, feet in contact slide"
            f" {self.quality.foot_sliding_m_s * 100:.1f} cm/s, sink"
            f" {self.quality.below_ground_mean_m * 1000:.1f} mm on average"
        )
        doubts = self.quality.doubts
        said = [f"doubt: {', '.join(doubts)}"] if doubts else []
        return "; ".join([text, *said, *self.found.ignored])

    @property
    def details(self) -> dict[str, Any]:
        """Numbers for the ledger."""
        return {
            "residuals": self.found.term_costs,
            "iterations": self.found.iterations,
            "converged": self.found.converged,
            "clipped_rad": self.found.clipped_rad,
            "ignored": list(self.found.ignored),
            "quality": asdict(self.quality),
        }


def joined(motion: RobotMotion, parts: Sequence[Solved]) -> RobotMotion:
    """A motion made of parts, described by the worst quality of these and by their whole costs."""
    quality = worst([part.quality for part in parts])
    costs = {
        name: sum(part.found.term_costs[name] for part in parts)
        for name in parts[0].found.term_costs
    }
    return replace(motion, metadata={**motion.metadata, **_measured(quality, costs)})


def _float32_limits(robot: Robot) -> tuple[np.ndarray, np.ndarray]:
    """The limits rounded inwards, so that no stored value is outside them in float64."""
    lower, upper = robot.lower.astype(np.float32), robot.upper.astype(np.float32)
    lower = np.where(lower < robot.lower, np.nextafter(lower, np.float32(np.inf)), lower)
    upper = np.where(upper > robot.upper, np.nextafter(upper, np.float32(-np.inf)), upper)
    return lower, upper


def _xyzw(R: Float[np.ndarray, " T *b 3 3"]) -> Float[np.ndarray, " T *b 4"]:
    return without_flips(wxyz_from_matrix(R)[..., [1, 2, 3, 0]])


def without_flips(quaternions: Float[np.ndarray, " T *b 4"]) -> Float[np.ndarray, " T *b 4"]:
    """The same rotations by quaternions whose sign does not flip from row to row."""
    turned = np.sum(quaternions[1:] * quaternions[:-1], axis=-1) < 0
    flips = np.concatenate([np.zeros_like(turned[:1]), turned]).cumsum(axis=0) % 2
    return np.where(flips[..., None] == 1, -quaternions, quaternions)
