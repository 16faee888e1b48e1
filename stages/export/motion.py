"""One motion as every format takes it: joints and bodies of a robot, uniform in time."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Bool, Float

from stages.artifacts.robot_motion import RobotMotion
from stages.export.robots import G1
from stages.geometry.rotations import (
    matrix_from_wxyz,
    rotvec_from_matrix,
    slerp,
    wxyz_from_matrix,
)
from stages.robot.rest import link_trajectories

XYZW = [1, 2, 3, 0]
"""Of a quaternion that is stored w, x, y, z."""


@dataclass(frozen=True)
class Motion:
    """A robot's motion in a z-up world: metres, radians, seconds, quaternions w, x, y, z.

    B bodies: the root and what each of the J joints carries. Velocities are in the world's axes.
    """

    name: str
    fps: float
    g1: G1
    joint_pos: Float[np.ndarray, "T J"]
    joint_vel: Float[np.ndarray, "T J"]
    body_pos: Float[np.ndarray, "T B 3"]
    body_wxyz: Float[np.ndarray, "T B 4"]
    body_lin_vel: Float[np.ndarray, "T B 3"]
    body_ang_vel: Float[np.ndarray, "T B 3"]
    left_foot: Bool[np.ndarray, " T"]
    right_foot: Bool[np.ndarray, " T"]
    source: RobotMotion
    """As stage 4 wrote it, at its own rate."""
    place: Path
    """The mesh that it happens on, an OBJ."""
    body_model: Path
    """Of the person whom the robot follows."""
    about: Mapping[str, Any]
    """Where it comes from; goes into every file's description."""

    @property
    def joint_names(self) -> list[str]:
        return list(self.g1.robot.joint_names)

    @property
    def qpos(self) -> Float[np.ndarray, "T 7+J"]:
        """As MuJoCo has it: the root's place and quaternion w, x, y, z, and the joints."""
        return np.concatenate([self.body_pos[:, 0], self.body_wxyz[:, 0], self.joint_pos], axis=1)

    @property
    def root_spin(self) -> Float[np.ndarray, "T 3"]:
        """The root's turning about its own axes, as MuJoCo has it of a free joint (rad/s)."""
        R = matrix_from_wxyz(self.body_wxyz[:, 0])
        return np.einsum("tji,tj->ti", R, self.body_ang_vel[:, 0])

    @property
    def body_names(self) -> list[str]:
        return self.g1.body_names


def motion_of(
    found: RobotMotion,
    place: Path,
    body_model: Path,
    g1: G1,
    fps: float,
    name: str,
    about: Mapping[str, Any],
) -> Motion:
    """A motion of stage 4 on one of the robots, at a rate.

    Joints that the motion has not are zero, those that the robot has not are left out.

    Args:
        fps: 0 for the motion's own.
    """
    own = dict(zip(found.joint_names, found.joints.T.astype(np.float64), strict=True))
    rows = len(found.joints)
    joints = np.stack([own.get(joint, np.zeros(rows)) for joint in g1.robot.joint_names], axis=1)
    times = np.arange(rows) / found.fps
    wanted, fps = (times, found.fps) if fps in (0, found.fps) else (at_rate(times[-1], fps), fps)
    joints = _linear(times, joints, wanted)
    root_pos = _linear(times, found.root_pos, wanted)
    turns = matrix_from_wxyz(found.root_quat_xyzw[:, [3, 0, 1, 2]])
    all_R, all_p = link_trajectories(g1.robot, slerp(times, turns, wanted), root_pos, joints)
    R, p = all_R[:, g1.body_links], all_p[:, g1.body_links]
    nearest = np.clip(np.rint(wanted * found.fps).astype(int), 0, rows - 1)
    return Motion(
        name=name,
        fps=fps,
        g1=g1,
        joint_pos=joints,
        joint_vel=_rate_of_change(joints, fps),
        body_pos=p,
        body_wxyz=without_jumps(wxyz_from_matrix(R)),
        body_lin_vel=_rate_of_change(p, fps),
        body_ang_vel=angular_velocity(R, fps),
        left_foot=found.left_foot[nearest],
        right_foot=found.right_foot[nearest],
        source=found,
        place=place,
        body_model=body_model,
        about=about,
    )


def at_rate(duration_s: float, fps: float) -> Float[np.ndarray, " N"]:
    """Moments from 0 to the last whole step within a duration."""
    return np.arange(int(duration_s * fps + 1e-6) + 1) / fps


def angular_velocity(R: Float[np.ndarray, "T *B 3 3"], fps: float) -> Float[np.ndarray, "T *B 3"]:
    """Turning in rad/s about the world's axes, by the difference of the neighbours of a row.

    At both ends of the row itself and its neighbour.
    """
    if len(R) < 2:
        return np.zeros(R.shape[:-1])
    before, after = R[[0, *range(len(R) - 1)]], R[[*range(1, len(R)), -1]]
    steps = np.full(len(R), 2.0)
    steps[[0, -1]] = 1
    turn = rotvec_from_matrix(after @ np.swapaxes(before, -1, -2))
    return turn * fps / steps.reshape(-1, *[1] * (turn.ndim - 1))


def _rate_of_change(values: Float[np.ndarray, "T *B D"], fps: float) -> Float[np.ndarray, "T *B D"]:
    return np.gradient(values, 1 / fps, axis=0) if len(values) > 1 else np.zeros_like(values)


def _linear(
    times: Float[np.ndarray, " T"],
    values: Float[np.ndarray, "T D"],
    wanted: Float[np.ndarray, " N"],
) -> Float[np.ndarray, "N D"]:
    return np.stack([np.interp(wanted, times, column) for column in values.T], axis=1)


def without_jumps(wxyz: Float[np.ndarray, "T B 4"]) -> Float[np.ndarray, "T B 4"]:
    """Quaternions of either sign, the one near the row before: their parts can be interpolated."""
    flips = np.sum(wxyz[1:] * wxyz[:-1], axis=-1) < 0
    signs = np.where(np.cumsum(flips, axis=0) % 2, -1.0, 1.0)
    return np.concatenate([wxyz[:1], wxyz[1:] * signs[..., None]])
