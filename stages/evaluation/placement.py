"""People, gravity and mesh in the levelled world of stage 3."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float

from stages.artifacts.calibrated_keypoints import FILE, read_calibrated_keypoints
from stages.artifacts.meshes import MESH_FILE, read_mesh
from stages.artifacts.people_and_world import MEGAHUNTER_FILE, opened_people_and_world
from stages.artifacts.truth import TERRAIN_FILE
from stages.evaluation.clip import EvaluatedClip
from stages.evaluation.surfaces import heights, sampled
from stages.geometry.rotations import nearest_rotation

NEAR_PATH_M = 1.0
CLOSE_M = 0.05


@dataclass(frozen=True)
class Placement:
    """The levelled world beside the true one."""

    R_true_ours: Float[np.ndarray, "3 3"]
    """Rotation to the true world by all cameras' directions."""
    t_true_ours: Float[np.ndarray, "3"]
    R_first: Float[np.ndarray, "3 3"]
    """Rotation to the true world by the first camera alone."""
    cameras_up_deg: float
    joints: dict[int, Float[np.ndarray, "T 45 3"]]
    frames: dict[int, list[int]]
    """Truth index of every row of `joints`, by true person."""

    def to_true(self, points: Float[np.ndarray, "*B 3"]) -> Float[np.ndarray, "*B 3"]:
        return points @ self.R_true_ours.T + self.t_true_ours


def read_placement(clip: EvaluatedClip, folder: Path) -> Placement:
    """Aligns the levelled world to the true one, rigidly, by its cameras."""
    keypoints = read_calibrated_keypoints(folder / FILE)
    with opened_people_and_world(folder / MEGAHUNTER_FILE) as file:
        index = [clip.truth_frame[name] for name in file.world.names]
        ours = file.world.Ts_world_camera.astype(np.float64)
        frames = {person: motion.frames for person, motion in file.people.items()}
    true = clip.truth.T_world_camera[index].astype(np.float64)
    each = true[:, :3, :3] @ np.swapaxes(ours[:, :3, :3], 1, 2)
    R = nearest_rotation(each.mean(0))
    t = (true[:, :3, 3] - ours[:, :3, 3] @ R.T).mean(0)
    up = np.mean(each @ np.array([0, 0, 1.0]), axis=0)
    joints, rows = {}, {}
    for person, person_id in clip.person_of_truth.items():
        if person_id in keypoints.people:
            joints[person] = keypoints.people[person_id].joints.astype(np.float64)
            rows[person] = [clip.truth_frame[name] for name in frames[person_id]]
    angle = np.degrees(np.arctan2(np.hypot(up[0], up[1]), up[2]))
    return Placement(R, t, each[0], float(angle), joints, rows)


def people(clip: EvaluatedClip, placement: Placement) -> dict[str, float]:
    """Root trajectory and joints in the world, aligned at the first frame, in cm.

    The first camera gives the rotation and the first frame's pelvis the translation, so errors of
    scale, drift and later placement all count.
    """
    root_errors, joint_errors = [], []
    for person, joints in placement.joints.items():
        true = clip.truth.joints_m[person, placement.frames[person]].astype(np.float64)
        moved = joints @ placement.R_first.T
        moved += true[0, 0] - moved[0, 0]
        root_errors.append(np.linalg.norm(moved[:, 0] - true[:, 0], axis=1))
        joint_errors.append(np.linalg.norm(moved[:, :24] - true[:, :24], axis=2).mean(1))
    if not root_errors:
        return {"root_cm": float("nan"), "mpjpe_cm": float("nan")}
    # Of several people the worst counts.
    return {
        "root_cm": 100 * float(max(errors.mean() for errors in root_errors)),
        "mpjpe_cm": 100 * float(max(errors.mean() for errors in joint_errors)),
    }


def gravity(placement: Placement) -> dict[str, float]:
    """Angle between the levelled world's up and the true one, in degrees."""
    return {"gravity_deg": placement.cameras_up_deg}


def mesh(clip: EvaluatedClip, placement: Placement, folder: Path) -> dict[str, float]:
    """F-score at 5 cm and height bias within a metre of the people's true path.

    The bias is the median difference of the heights seen from above, ours less true, in cm.
    """
    vertices, faces = read_mesh(folder / MESH_FILE)
    ours = (placement.to_true(vertices), faces)
    true = read_mesh(clip.data.truth(clip.video) / TERRAIN_FILE)
    path = clip.truth.root_m[..., :2].reshape(-1, 2)
    a, b = sampled(ours, path, NEAR_PATH_M), sampled(true, path, NEAR_PATH_M)
    precision, recall = b.share_near(a.points, CLOSE_M), a.share_near(b.points, CLOSE_M)
    low, high = path.min(0) - NEAR_PATH_M, path.max(0) + NEAR_PATH_M
    grid = np.stack(
        np.meshgrid(np.arange(low[0], high[0], 0.05), np.arange(low[1], high[1], 0.05)), -1
    ).reshape(-1, 2)
    near = np.linalg.norm(grid[:, None] - path[None, ::5], axis=2).min(1) <= NEAR_PATH_M
    difference = heights(ours, grid[near]) - heights(true, grid[near])
    seen = np.isfinite(difference)
    bias = float(np.median(difference[seen])) if seen.any() else float("nan")
    return {
        "mesh_f": 2 * precision * recall / max(precision + recall, 1e-9),
        "mesh_precision": precision,
        "mesh_recall": recall,
        "mesh_bias_cm": 100 * bias,
    }
