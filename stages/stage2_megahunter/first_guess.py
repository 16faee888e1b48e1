"""Metres per SfM unit, before anything is solved."""

import numpy as np
from jaxtyping import Float

from stages.body.joint_names import SMPL24_NAMES
from stages.body.skeleton import Skeleton
from stages.geometry.placement import first_scale
from stages.people.skeleton import KEYPOINTS
from stages.people.tracks import Cameras, Track
from stages.stage2_megahunter.lengths import lengths_of
from stages.stage2_megahunter.scale_by_size import LOOK_ERROR
from stages.stage2_megahunter.scene_samples import SceneSamples

_BEND_ERROR_RAD = 0.26
"""Of a knee."""
_LEGS = 0.5
"""Their share of the height."""
_KNEES = [SMPL24_NAMES.index(f"{side}_knee") for side in ("left", "right")]


def guess_scale(
    cameras: Cameras,
    tracks: list[Track],
    samples: list[SceneSamples],
    skeletons: list[Skeleton],
    placed: list[Float[np.ndarray, "T 3"]],
) -> float:
    """Metres per SfM unit: people's distance by their size against the reconstruction's.

    Which of several surfaces people stand on is a question of some ten percent or more: depth at
    keypoints has as much say in it as the ground under feet. Who stands on straight legs has most:
    their size is known best.

    Args:
        placed: pelvis positions in the cameras, metres.
    """
    found = []
    for track, *others in zip(tracks, samples, skeletons, placed, strict=True):
        metres, units, weights = lengths_of(track, *others)
        found.append(np.stack([metres, units, weights * _sureness(track.rotmats, weights)]))
    metres, units, weights = np.concatenate(found, axis=1)
    kinds = np.split(weights, [KEYPOINTS], axis=1)
    alike = np.concatenate([kind / max(kind.sum(), 1e-9) for kind in kinds], axis=1)
    scale = first_scale(metres.ravel(), units.ravel(), alike.ravel())
    return _scale_by_steadiness(cameras, tracks, placed) if scale is None else scale


def _sureness(
    rotmats: Float[np.ndarray, "T 24 3 3"], weights: Float[np.ndarray, "T L"]
) -> Float[np.ndarray, "T L"]:
    """How much a person's size says, by the legs that are stood on: 1 if they are straight.

    It is the inverse of the size's variance. A leg is as long as the cosine of half its bend, so a
    wrong bend changes nothing of a straight leg, and the more of others the more they are bent.
    """
    cosine = np.clip((np.trace(rotmats[:, _KNEES], axis1=-2, axis2=-1) - 1) / 2, -1.0, 1.0)
    tangent = np.sqrt((1 - cosine) / (1 + cosine + 1e-9))  # of half the bend
    by_leg = 1 / (1 + (_LEGS / 2 * tangent * _BEND_ERROR_RAD / LOOK_ERROR) ** 2)
    rays = (weights.shape[1] - KEYPOINTS) // 2
    depths = np.repeat(by_leg.max(axis=1, keepdims=True), KEYPOINTS, axis=1)
    return np.concatenate([depths, np.repeat(by_leg, rays, axis=1)], axis=1)


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
