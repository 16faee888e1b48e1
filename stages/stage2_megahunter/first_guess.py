"""Where people are before each camera, and metres per SfM unit, before anything is solved."""

import numpy as np
from jaxtyping import Float

from stages.stage2_megahunter.marks import Skeleton
from stages.stage2_megahunter.placement import first_scale, place_before_camera
from stages.stage2_megahunter.posing import posed_marks
from stages.stage2_megahunter.tracks import Cameras, Surroundings, Track

PIXEL_SCORE_THR = 0.5


def viewing_rays(
    cameras: Cameras, pixels: Float[np.ndarray, "T K 2"]
) -> Float[np.ndarray, "T K 3"]:
    """Viewing directions in the camera with z = 1."""
    ones = np.ones((*pixels.shape[:-1], 1))
    inverse = np.linalg.inv(cameras.intrinsics.astype(np.float64))
    return np.einsum("tab,tkb->tka", inverse, np.concatenate([pixels, ones], axis=-1))


def pixel_weights(track: Track) -> Float[np.ndarray, "T 18"]:
    """Confidence of the keypoints; 0 for unsure ones and in frames that are not used."""
    sure = np.where(track.scores > PIXEL_SCORE_THR, track.scores, 0.0)
    return sure * track.valid[:, None]


def place(cameras: Cameras, track: Track, skeleton: Skeleton) -> Float[np.ndarray, "T 3"]:
    """Pelvis positions in the cameras, metres, by the size and place of people in the images."""
    offsets, _ = posed_marks(track.rotmats, np.zeros((len(track.valid), 3)), skeleton)
    return place_before_camera(offsets, viewing_rays(cameras, track.pixels), pixel_weights(track))


def guess_scale(
    cameras: Cameras,
    tracks: list[Track],
    surroundings: list[Surroundings],
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
    for track, around, skeleton, t_camera in zip(
        tracks, surroundings, skeletons, placed, strict=True
    ):
        keypoints, soles = posed_marks(track.rotmats, t_camera, skeleton)
        metric.append((keypoints[..., 2] - skeleton.depths).ravel())
        reconstructed.append(around.depths.ravel())
        trusts.append((around.trust * pixel_weights(track)).ravel())
        # A standing sole is as far below the camera as the ground around it.
        normals = around.ground_normals
        feet = soles.reshape(-1, 2, 2, 3).mean(axis=2)
        height = -np.einsum("tfkc,tfkc->tfk", around.ground_points, normals)
        steep = height / np.maximum(np.linalg.norm(around.ground_points, axis=-1), 1e-9)
        standing = around.ground_weights * (track.planted & track.valid[:, None])[..., None]
        below_m.append(-np.einsum("tfc,tfkc->tfk", feet, normals).ravel())
        below_units.append(height.ravel())
        sures.append((standing * np.clip(steep, 0.0, 1.0)).ravel())
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
    """The scale at which people move least between frames; 1 if the camera stands still."""
    dot = square = 0.0
    camera_step = np.diff(cameras.centres, axis=0)
    for track, t_camera in zip(tracks, placed, strict=True):
        both = track.valid[1:] & track.valid[:-1]
        step = np.diff(np.einsum("tab,tb->ta", cameras.R_world_camera, t_camera), axis=0)
        dot -= float((step * camera_step)[both].sum())
        square += float((camera_step**2)[both].sum())
    return dot / square if square > 0 and dot > 0 else 1.0
