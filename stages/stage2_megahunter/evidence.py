"""What one person's frames show, as the terms read it: in the world, before its scale is known."""

import jax
import numpy as np

from stages.stage2_megahunter.first_guess import pixel_weights, viewing_rays
from stages.stage2_megahunter.marks import Skeleton
from stages.stage2_megahunter.posing import posed_marks
from stages.stage2_megahunter.terms import Evidence, Pose
from stages.stage2_megahunter.tracks import Cameras, Surroundings, Track


def what_is_seen(
    cameras: Cameras, track: Track, around: Surroundings, skeleton: Skeleton, R0: np.ndarray
) -> Evidence:
    """All but the ground, with rotations R0 (T, 24, 3, 3), roots in the world, to stay near to.

    Arrays have a leading T; nothing in them is infinite or not a number.
    """
    T = len(track.valid)
    R, centres = cameras.R_world_camera.astype(np.float64), cameras.centres.astype(np.float64)
    rays = viewing_rays(cameras, np.nan_to_num(track.pixels))
    points = np.einsum("tab,tkb->tka", R, rays * around.depths[..., None]) + centres[:, None]
    directions = np.einsum("tab,tkb->tka", R, rays / np.linalg.norm(rays, axis=-1, keepdims=True))
    blank = np.zeros((T, 2, 3))
    K = cameras.intrinsics
    every = Evidence(
        skeleton=Skeleton(*(np.broadcast_to(part, (T, *part.shape)) for part in skeleton)),
        R0=R0,
        pixels=track.pixels,
        pixel_weights=pixel_weights(track),
        size_px=track.sizes_px,
        K=np.stack([K[:, 0, 0], K[:, 1, 1], K[:, 0, 2], K[:, 1, 2]], axis=-1),
        R_camera_world=np.swapaxes(R, -1, -2),
        camera=centres,
        points=points,
        point_weights=around.trust * track.scores * track.valid[:, None],
        rays=directions,
        planted=track.planted,
        ground_point=blank,
        ground_normal=blank,
        ground_weight=blank[..., 0],
    )
    return jax.tree.map(lambda leaf: np.nan_to_num(np.asarray(leaf, np.float32)), every)


def on_nearest_ground(
    evidence: Evidence,
    cameras: Cameras,
    around: Surroundings,
    pose: Pose,
    skeleton: Skeleton,
    scale: float,
) -> Evidence:
    """The plane around each foot that its sole is nearest to, or that it is highest above.

    The former for planted feet, the latter for others: these must only not be below all planes.
    """
    R, centres = cameras.R_world_camera, cameras.centres
    points = np.einsum("tab,tfkb->tfka", R, around.ground_points) + centres[:, None, None]
    normals = np.einsum("tab,tfkb->tfka", R, around.ground_normals)
    soles = posed_marks(pose.R, pose.p, skeleton)[1].reshape(-1, 2, 2, 3).mean(axis=2)
    above = np.einsum("tfkc,tfkc->tfk", soles[:, :, None] - scale * points, normals)
    badness = np.where(evidence.planted[..., None] > 0, np.abs(above), -above)
    best = np.where(around.ground_weights > 0, badness, np.inf).argmin(axis=-1)[..., None]

    def pick(values: np.ndarray) -> np.ndarray:
        index = best if values.ndim == 3 else best[..., None]
        return np.take_along_axis(values, index, axis=2)[:, :, 0].astype(np.float32)

    return evidence._replace(
        ground_point=pick(points),
        ground_normal=pick(normals),
        ground_weight=pick(around.ground_weights),
    )
