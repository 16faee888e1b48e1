"""The robot's motion against its limits and the true ground."""

from pathlib import Path

import numpy as np
from jaxtyping import Float

from stages.artifacts.robot_motion import (
    MULTI_FILE,
    SINGLE_FILE,
    RobotMotion,
    read_robot_motion,
    read_robot_motions,
)
from stages.evaluation.clip import EvaluatedClip
from stages.evaluation.placement import Placement
from stages.geometry.block_terrain import Terrain
from stages.geometry.rotations import matrix_from_wxyz
from stages.robot.model import load_g1
from stages.robot.rest import link_trajectories
from stages.robot.soles import foot_sliding_m_s, sole_trajectories


def read_motions(folder: Path) -> list[RobotMotion]:
    """The motions of all people in a result folder."""
    if (folder / MULTI_FILE).exists():
        return list(read_robot_motions(folder / MULTI_FILE).values())
    return [read_robot_motion(folder / SINGLE_FILE)]


def depth_below(points: Float[np.ndarray, "N 3"], terrain: Terrain) -> Float[np.ndarray, " N"]:
    """How deep points are inside the floor or a block, m: the shortest way out; 0 outside."""
    depth = np.maximum(-points[:, 2], 0.0)
    for block in terrain.blocks:
        local = np.abs(block.local_xy(points[:, :2]))
        inside = np.minimum(
            block.top_m - points[:, 2],
            np.minimum(block.half_length_m - local[:, 0], block.half_width_m - local[:, 1]),
        )
        above_bottom = points[:, 2] > block.bottom_m
        depth = np.maximum(depth, np.where(above_bottom, inside, 0.0))
    return depth


def motion(clip: EvaluatedClip, placement: Placement, folder: Path) -> dict[str, float]:
    """Worst of all people: limits, sliding in contact, feet below ground, stored link poses."""
    found = [_one(clip, placement, entry) for entry in read_motions(folder)]
    return {name: max(entry[name] for entry in found) for name in found[0]}


def _one(clip: EvaluatedClip, placement: Placement, entry: RobotMotion) -> dict[str, float]:
    robot = load_g1()
    rotation = matrix_from_wxyz(entry.root_quat_xyzw[:, [3, 0, 1, 2]])
    R, p = link_trajectories(robot, rotation, entry.root_pos, entry.joints.astype(np.float64))
    stored = [robot.link(name) for name in entry.link_names]
    link_error = np.abs(p[:, stored] - entry.link_pos).max()
    soles = sole_trajectories(robot, R, p)
    contacts = np.stack([entry.left_foot, entry.right_foot], axis=1)
    times = np.arange(len(contacts)) / entry.fps
    depth = depth_below(placement.to_true(soles).reshape(-1, 3), clip.truth.terrain)
    lowest = depth.reshape(soles.shape[:3]).max(-1)
    limits = (entry.joints < robot.lower - 1e-6) | (entry.joints > robot.upper + 1e-6)
    return {
        "limit_violations": float(limits.sum()),
        "foot_sliding_cm_s": 100 * foot_sliding_m_s(soles, contacts, times),
        "below_ground_mean_cm": 100 * float(lowest.mean()),
        "below_ground_worst_cm": 100 * float(lowest.max()),
        "link_pose_error_m": float(link_error),
    }
