"""The robot of stage 4 by itself: limits, collisions, smoothness, feet on the mesh."""

import numpy as np
from jaxtyping import Float

from stages.artifacts.robot_motion import RobotMotion
from stages.artifacts.verdicts import SMALL, Measure, Values
from stages.evaluation.plausibility.clip import Clip
from stages.evaluation.plausibility.feet import heights_above
from stages.evaluation.plausibility.measured import worst
from stages.geometry.rotations import matrix_from_wxyz
from stages.robot.collision import deepest_overlap_m
from stages.robot.model import Robot, load_g1
from stages.robot.rest import link_trajectories
from stages.robot.soles import foot_sliding_m_s, sole_trajectories

SATURATION = Measure(
    "limit_saturation", "At joint limits", "share", SMALL,
    "largest share of the frames that a joint is within 1 % of its range of a limit, or beyond",
)  # fmt: skip
BEYOND = Measure(
    "limit_violation_deg", "Beyond joint limits", "deg", SMALL, "farthest beyond a joint's limit"
)
JOINT_SPEED = Measure(
    "robot_speed_share", "Fastest joint of the robot", "share", SMALL,
    "highest speed of a joint over what its motor can",
)  # fmt: skip
JERK = Measure(
    "robot_jerk_rad_s3", "Robot's jerk", "rad/s3", SMALL,
    "99th percentile of the joints' third derivative by time",
)  # fmt: skip
ROOT_SPEED = Measure(
    "robot_root_speed_m_s", "Robot's root speed", "m/s", SMALL, "highest speed of the pelvis"
)
COLLISION = Measure(
    "self_collision_mm", "Self-collision", "mm", SMALL, "deepest overlap of two parts of the robot"
)
SLIDING = Measure(
    "robot_sliding_cm_s", "Robot's feet slide", "cm/s", SMALL,
    "mean speed of heels and toes between frames in contact",
)  # fmt: skip
FLOATING = Measure(
    "robot_floating_cm", "Robot's feet float", "cm", SMALL,
    "height of the lowest point of a sole in contact above the mesh, 90th percentile",
)  # fmt: skip
PENETRATION = Measure(
    "robot_penetration_cm", "Robot's feet sink", "cm", SMALL,
    "depth of the lowest point of a sole below the mesh, 99th percentile",
)  # fmt: skip
MEASURES = (
    SATURATION, BEYOND, JOINT_SPEED, JERK, ROOT_SPEED, COLLISION, SLIDING, FLOATING, PENETRATION,
)  # fmt: skip

NEAR_LIMIT = 0.01


def poses(
    robot: Robot, motion: RobotMotion
) -> tuple[Float[np.ndarray, "T L 3 3"], Float[np.ndarray, "T L 3"]]:
    """World rotations and places of all links, computed anew from the joints."""
    R_world_root = matrix_from_wxyz(motion.root_quat_xyzw[:, [3, 0, 1, 2]])
    return link_trajectories(robot, R_world_root, motion.root_pos, motion.joints.astype(np.float64))


def compute(clip: Clip) -> Values:
    """Of the worst part of the worst of the robots."""
    robot = load_g1()
    found = [_of_part(clip, robot, part) for parts in clip.robots.values() for part in parts]
    return worst(found, MEASURES)


def _of_part(clip: Clip, robot: Robot, motion: RobotMotion) -> dict[str, float]:
    rows = motion.present
    joints, times = motion.joints.astype(np.float64)[rows], motion.times_s[rows]
    R, p = (each[rows] for each in poses(robot, motion))
    margin = NEAR_LIMIT * (robot.upper - robot.lower)
    near = (joints <= robot.lower + margin) | (joints >= robot.upper - margin)
    beyond = np.maximum(robot.lower - joints, joints - robot.upper).max(initial=0.0)
    soles = sole_trajectories(robot, R, p)
    contacts = np.stack([motion.left_foot, motion.right_foot], axis=1)[rows]
    found = {
        SATURATION.name: float(near.mean(0).max()),
        BEYOND.name: float(np.degrees(max(beyond, 0.0))),
        COLLISION.name: 1000 * deepest_overlap_m(robot, R, p),
        SLIDING.name: 100 * foot_sliding_m_s(soles, contacts, times),
    }
    if len(times) > 3:
        speed = np.abs(np.diff(joints, axis=0)) / np.diff(times)[:, None]
        jerk = joints
        for _ in range(3):
            jerk = np.gradient(jerk, times, axis=0)
        root = np.linalg.norm(np.diff(motion.root_pos[rows], axis=0), axis=1) / np.diff(times)
        found[JOINT_SPEED.name] = float((speed / robot.velocity).max())
        found[JERK.name] = float(np.percentile(np.abs(jerk), 99))
        found[ROOT_SPEED.name] = float(root.max())
    if not clip.terrain.empty:
        lowest = np.nanmin(
            np.where(np.isnan(above := heights_above(soles, clip.terrain)), np.inf, above), axis=-1
        )
        known = np.isfinite(lowest)
        if (contacts & known).any():
            touching = np.maximum(lowest[contacts & known], 0)
            found[FLOATING.name] = 100 * float(np.percentile(touching, 90))
        if known.any():
            found[PENETRATION.name] = 100 * float(np.percentile(np.maximum(-lowest[known], 0), 99))
    return found
