"""Observations of one person as the terms read them: in the world, before its scale is known."""

import jax
import numpy as np

from stages.body.skeleton import Skeleton
from stages.people.placing import pixel_weights, viewing_rays
from stages.people.posing import posed_points
from stages.people.tracks import Cameras, Track
from stages.stage2_megahunter.scene_samples import SceneSamples
from stages.stage2_megahunter.terms import TIME_UNIT_S, Observations, Pose


def gather_observations(
    cameras: Cameras, track: Track, samples: SceneSamples, skeleton: Skeleton, R0: np.ndarray
) -> Observations:
    """All but the ground, with rotations R0 (T, 24, 3, 3), roots in the world, to stay near to.

    Arrays have a leading T; nothing in them is infinite or not a number.
    """
    T = len(track.valid)
    part_contacts = np.zeros((T, 0)) if track.part_contacts is None else track.part_contacts
    R, centres = cameras.R_world_camera.astype(np.float64), cameras.centres.astype(np.float64)
    rays = viewing_rays(cameras, np.nan_to_num(track.pixels))
    points = np.einsum("tab,tkb->tka", R, rays * samples.depths[..., None]) + centres[:, None]
    directions = np.einsum("tab,tkb->tka", R, rays / np.linalg.norm(rays, axis=-1, keepdims=True))
    blank = np.zeros((T, 2, 3))
    K = cameras.intrinsics
    steps_s = np.diff(cameras.times_s)
    every = Observations(
        dt=np.append(steps_s, steps_s[-1:] if T > 1 else TIME_UNIT_S) / TIME_UNIT_S,
        skeleton=Skeleton(*(np.broadcast_to(part, (T, *part.shape)) for part in skeleton)),
        R0=R0,
        pixels=track.pixels,
        pixel_weights=pixel_weights(track),
        size_px=track.sizes_px,
        K=np.stack([K[:, 0, 0], K[:, 1, 1], K[:, 0, 2], K[:, 1, 2]], axis=-1),
        R_camera_world=np.swapaxes(R, -1, -2),
        camera=centres,
        points=points,
        point_weights=samples.trust * track.scores * track.valid[:, None],
        rays=directions,
        contacts=track.contacts,
        part_contacts=part_contacts,
        ground_point=blank,
        ground_normal=blank,
        ground_weight=blank[..., 0],
    )
    return jax.tree.map(lambda leaf: np.nan_to_num(np.asarray(leaf, np.float32)), every)


def with_nearest_ground(
    observations: Observations,
    cameras: Cameras,
    samples: SceneSamples,
    pose: Pose,
    skeleton: Skeleton,
    scale: float,
) -> Observations:
    """The plane around each foot that its sole is nearest to, or that it is highest above.

    The former for feet in contact, the latter for others: these must only not be below all planes.
    """
    R, centres = cameras.R_world_camera, cameras.centres
    points = np.einsum("tab,tfkb->tfka", R, samples.ground_points) + centres[:, None, None]
    normals = np.einsum("tab,tfkb->tfka", R, samples.ground_normals)
    soles = posed_points(pose.R, pose.p, skeleton)[1].reshape(-1, 2, 2, 3).mean(axis=2)
    above = np.einsum("tfkc,tfkc->tfk", soles[:, :, None] - scale * points, normals)
    badness = np.where(observations.contacts[..., None] > 0, np.abs(above), -above)
    best = np.where(samples.ground_weights > 0, badness, np.inf).argmin(axis=-1)[..., None]

    def pick(values: np.ndarray) -> np.ndarray:
        index = best if values.ndim == 3 else best[..., None]
        return np.take_along_axis(values, index, axis=2)[:, :, 0].astype(np.float32)

    return observations._replace(
        ground_point=pick(points),
        ground_normal=pick(normals),
        ground_weight=pick(samples.ground_weights),
    )
