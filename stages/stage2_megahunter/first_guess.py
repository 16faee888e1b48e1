"""Metres per SfM unit, before anything is solved."""

import numpy as np
from jaxtyping import Float

from stages.body.skeleton import Skeleton
from stages.geometry.placement import first_scale
from stages.people.placing import pixel_weights
from stages.people.posing import posed_points
from stages.people.skeleton import KEYPOINTS
from stages.people.tracks import Cameras, Track
from stages.stage2_megahunter.scene_samples import SceneSamples


def guess_scale(
    cameras: Cameras,
    tracks: list[Track],
    samples: list[SceneSamples],
    skeletons: list[Skeleton],
    placed: list[Float[np.ndarray, "T 3"]],
) -> float:
    """Metres per SfM unit: people's distance by their size against the reconstruction's.

    Depth at keypoints has as much say as the ground under feet, and within these every frame of
    every person the same: who is seen less often has less say.

    Args:
        placed: pelvis positions in the cameras, metres.
    """
    metric, reconstructed, trusts, sures = [], [], [], []
    below_m, below_units = [], []
    for track, around, skeleton, t_camera in zip(tracks, samples, skeletons, placed, strict=True):
        keypoints, soles = posed_points(track.rotmats, t_camera, skeleton)
        metric.append((keypoints[..., 2] - skeleton.depths[:KEYPOINTS]).ravel())
        reconstructed.append(around.depths.ravel())
        trusts.append((around.trust * pixel_weights(track)).ravel())
        # A sole in contact is as far below the camera as the ground around it.
        normals = around.ground_normals
        feet = soles.reshape(-1, 2, 2, 3).mean(axis=2)
        height = -np.einsum("tfkc,tfkc->tfk", around.ground_points, normals)
        steep = height / np.maximum(np.linalg.norm(around.ground_points, axis=-1), 1e-9)
        touching = around.ground_weights * (track.contacts & track.valid[:, None])[..., None]
        below_m.append(-np.einsum("tfc,tfkc->tfk", feet, normals).ravel())
        below_units.append(height.ravel())
        sures.append((touching * np.clip(steep, 0.0, 1.0)).ravel())
    trust, sure = np.concatenate(trusts), np.concatenate(sures)
    scale = first_scale(
        np.concatenate(metric + below_m),
        np.concatenate(reconstructed + below_units),
        np.concatenate([trust / max(trust.sum(), 1e-9), sure / max(sure.sum(), 1e-9)]),
    )
    return scale if scale is not None else _scale_by_steadiness(cameras, tracks, placed)


def _scale_by_steadiness(
    cameras: Cameras, tracks: list[Track], placed: list[Float[np.ndarray, "T 3"]]
) -> float:
    """The scale at which people move least; 1 if the camera stands still.

    Least is the integral of the squared speed over time, a sum of squared steps over their time.
    """
    dot = square = 0.0
    camera_step = np.diff(cameras.centres, axis=0)
    for track, t_camera in zip(tracks, placed, strict=True):
        share = (track.valid[1:] & track.valid[:-1])[:, None] / np.diff(cameras.times_s)[:, None]
        step = np.diff(np.einsum("tab,tb->ta", cameras.R_world_camera, t_camera), axis=0)
        dot -= float((share * step * camera_step).sum())
        square += float((share * camera_step**2).sum())
    return dot / square if square > 0 and dot > 0 else 1.0
