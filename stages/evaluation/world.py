"""Cameras and depth of stage 1, and the scale that stage 2 gives them."""

import numpy as np
from jaxtyping import Float

from stages.artifacts.people_and_world import opened_people_and_world
from stages.artifacts.world import opened_world
from stages.evaluation.bars import NOT_APPLICABLE
from stages.evaluation.clip import EvaluatedClip
from stages.geometry.alignment import align

CONFIDENT = 0.5
SHORTEST_PATH_M = 0.05
"""Of a camera that moves; the path of one on the spot has neither an error a metre nor a size."""


def path_length(centres: Float[np.ndarray, "T 3"]) -> float:
    return float(np.linalg.norm(np.diff(centres, axis=0), axis=1).sum())


def cameras(clip: EvaluatedClip, path) -> dict[str, float]:
    """Root mean square error of the camera centres after a similarity, over the path's length."""
    with opened_world(path) as (world, _):
        frames = [clip.truth_frame[name] for name in world.names]
        ours = world.Ts_world_camera[:, :3, 3].astype(np.float64)
    true = clip.truth.T_world_camera[frames, :3, 3].astype(np.float64)
    if path_length(true) < SHORTEST_PATH_M:
        return {"camera_path": NOT_APPLICABLE}
    scale, R, t = align(ours, true)
    error = np.sqrt(((scale * ours @ R.T + t - true) ** 2).sum(1).mean())
    return {"camera_path": float(error / path_length(true))}


def depth(clip: EvaluatedClip, path) -> dict[str, float]:
    """Median relative error at confident static pixels, after one scale for the whole clip.

    Also the share of the static pixels that are confident.
    """
    ours, true, total = [], [], 0
    wanted = {int(frame): index for index, frame in enumerate(clip.truth.depth_frames)}
    with opened_world(path) as (world, _):
        for view in world:
            frame = clip.truth_frame[view.name]
            if frame not in wanted:
                continue
            affine = view.affine_original_from_reconstruction
            height, width = view.size
            y, x = np.mgrid[:height, :width]
            places = np.stack([x, y, np.ones_like(x)], -1) @ affine.T
            column, row = np.rint(places).astype(int).transpose(2, 0, 1)
            size = clip.truth.depth_m.shape[1:]
            row, column = np.clip(row, 0, size[0] - 1), np.clip(column, 0, size[1] - 1)
            true_depth = clip.truth.depth_m[wanted[frame]][row, column]
            static = (clip.truth.person_ids[frame][row, column] == 0) & (true_depth > 0)
            confident = static & (view.confidence >= CONFIDENT) & view.measured & (view.depth > 0)
            total += int(static.sum())
            ours.append(view.depth[confident])
            true.append(true_depth[confident])
    estimate, reference = np.concatenate(ours), np.concatenate(true)
    scale = np.median(reference / estimate)
    error = np.abs(scale * estimate - reference) / reference
    return {"depth_error": float(np.median(error)), "depth_coverage": len(error) / max(total, 1)}


def scale(clip: EvaluatedClip, path) -> dict[str, float]:
    """How far the world of stage 2 is from true size: |1 - size| by the cameras' path."""
    with opened_people_and_world(path) as file:
        frames = [clip.truth_frame[name] for name in file.world.names]
        ours = file.world.Ts_world_camera[:, :3, 3].astype(np.float64)
    true = clip.truth.T_world_camera[frames, :3, 3].astype(np.float64)
    if path_length(true) < SHORTEST_PATH_M:
        return {"scale_error": NOT_APPLICABLE}
    factor, _, _ = align(ours, true)
    return {"scale_error": abs(1 - 1 / factor)}
