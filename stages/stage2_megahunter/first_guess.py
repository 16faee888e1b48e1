"""Metres per SfM unit, before anything is solved."""

import numpy as np
from jaxtyping import Float

from stages.body.skeleton import Skeleton
from stages.geometry.placement import first_scale
from stages.people.skeleton import KEYPOINTS
from stages.people.tracks import Cameras, Track
from stages.stage2_megahunter.lengths import lengths_of
from stages.stage2_megahunter.scene_samples import SceneSamples


def guess_scale(
    cameras: Cameras,
    tracks: list[Track],
    samples: list[SceneSamples],
    skeletons: list[Skeleton],
    placed: list[Float[np.ndarray, "T 3"]],
) -> float:
    """Metres per SfM unit: people's distance by their size against the reconstruction's.

    Which of several surfaces people stand on is a question of some ten percent or more: depth at
    keypoints has as much say in it as the ground under feet.

    Args:
        placed: pelvis positions in the cameras, metres.
    """
    each = zip(tracks, samples, skeletons, placed, strict=True)
    found = [np.stack(lengths_of(*one)) for one in each]
    metres, units, weights = np.concatenate(found, axis=1)
    kinds = np.split(weights, [KEYPOINTS], axis=1)
    alike = np.concatenate([kind / max(kind.sum(), 1e-9) for kind in kinds], axis=1)
    scale = first_scale(metres.ravel(), units.ravel(), alike.ravel())
    return _scale_by_steadiness(cameras, tracks, placed) if scale is None else scale


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
