"""How well a robot's motion follows the person's: limbs, key points, path, and weight carried."""

import numpy as np
from jaxtyping import Float

from stages.robot.correspondence import g1_correspondence
from stages.robot.model import Robot
from stages.robot.terrain import Terrain
from stages.stage4_retarget.initial import body_scale
from stages.stage4_retarget.support import carried, heights_m

STILL_RAD = 1e-3
MOVING_DEG = 5.0


def limb_direction_deg(
    robot: Robot, person: Float[np.ndarray, "T 45 3"], p: Float[np.ndarray, "T L 3"]
) -> float:
    """Mean angle between the person's limbs and the robot's."""
    table = g1_correspondence(robot)
    theirs, ours = (
        _directions(points, table.limbs) for points in (person[:, table.smpl], p[:, table.link])
    )
    return float(np.degrees(np.arccos(np.clip((theirs * ours).sum(-1), -1, 1))).mean())


def key_points_m(
    robot: Robot, person: Float[np.ndarray, "T 45 3"], p: Float[np.ndarray, "T L 3"]
) -> float:
    """Mean distance of the matched points about the pelvis, the person's at the robot's size."""
    table = g1_correspondence(robot)
    theirs = (person[:, table.smpl] - person[:, :1]) * body_scale(table, robot, person)
    ours = p[:, table.link] - p[:, table.link[:1]]
    return float(np.linalg.norm(theirs - ours, axis=-1).mean())


def hips_off_path_m(person: Float[np.ndarray, "T 45 3"], root: Float[np.ndarray, "T 3"]) -> float:
    """Largest horizontal distance of the robot's pelvis from the person's."""
    return float(np.linalg.norm((person[:, 0] - root)[:, :2], axis=-1).max(initial=0.0))


def above_ground_m(
    person: Float[np.ndarray, "T 45 3"], bottoms: Float[np.ndarray, "T N 3"], terrain: Terrain
) -> float:
    """How high the robot is above the surface while the surface carries the person, whichever part
    of the body lies on it: the 90th percentile. 0 without such frames.

    Args:
        bottoms: the lowest points of the robot's parts.
    """
    on_it, _ = carried(person, terrain)
    height = heights_m(bottoms[on_it], terrain)
    height = np.maximum(height[np.isfinite(height)], 0.0)
    return float(np.percentile(height, 90)) if len(height) else 0.0


def still_joints(
    robot: Robot, person: Float[np.ndarray, "T 45 3"], joints: Float[np.ndarray, "T J"]
) -> int:
    """Joints that never turn, of a robot that follows somebody who moves."""
    table = g1_correspondence(robot)
    limbs = _directions(person[:, table.smpl], table.limbs)
    moved = np.degrees(np.arccos(np.clip((limbs * limbs[:1]).sum(-1), -1, 1))).max(initial=0.0)
    return int((np.ptp(joints, axis=0) < STILL_RAD).sum()) if moved > MOVING_DEG else 0


def _directions(points: np.ndarray, limbs: np.ndarray) -> np.ndarray:
    ends = points[:, limbs].astype(float)
    along = ends[:, :, 1] - ends[:, :, 0]
    return along / np.maximum(np.linalg.norm(along, axis=-1, keepdims=True), 1e-9)
