"""From a retargeted motion to the record that is written."""

import json
from dataclasses import asdict

import numpy as np

from stages.artifacts.robot_motion import RobotMotion
from stages.geometry.rotations import wxyz_from_matrix
from stages.robot.model import Robot
from stages.robot.rest import link_trajectories
from stages.stage4_retarget.quality import Quality
from stages.stage4_retarget.retarget import Retargeted


def robot_motion(robot: Robot, motion: Retargeted, quality: Quality, fps: float) -> RobotMotion:
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
        metadata={
            "quaternion_order": "xyzw",
            "units": "m, rad",
            "up_axis": "z",
            "robot": robot.name,
            "quality": json.dumps(asdict(quality)),
            "residuals": json.dumps(motion.term_costs),
        },
    )


def _float32_limits(robot: Robot) -> tuple[np.ndarray, np.ndarray]:
    """The limits rounded inwards, so that no stored value is outside them in float64."""
    lower, upper = robot.lower.astype(np.float32), robot.upper.astype(np.float32)
    lower = np.where(lower < robot.lower, np.nextafter(lower, np.float32(np.inf)), lower)
    upper = np.where(upper > robot.upper, np.nextafter(upper, np.float32(-np.inf)), upper)
    return lower, upper


def _xyzw(R: np.ndarray) -> np.ndarray:
    """Quaternions x, y, z, w whose sign does not flip from frame to frame."""
    quaternions = wxyz_from_matrix(R)[..., [1, 2, 3, 0]]
    turned = np.sum(quaternions[1:] * quaternions[:-1], axis=-1) < 0
    flips = np.concatenate([np.zeros_like(turned[:1]), turned]).cumsum(axis=0) % 2
    return np.where(flips[..., None] == 1, -quaternions, quaternions)
