"""The same lengths by people's size and in the reconstruction, frame by frame."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from stages.body.skeleton import Skeleton
from stages.people.placing import pixel_weights
from stages.people.posing import posed_points
from stages.people.skeleton import KEYPOINTS
from stages.people.tracks import Track
from stages.stage2_megahunter.scene_samples import SceneSamples


class Lengths(NamedTuple):
    """Depths of a person's keypoints, then heights of the camera over the ground under each foot.

    weights: all keypoints of a frame have as much as the ground under both feet; 0 where a length
    is not known.
    """

    metres: Float[np.ndarray, "T L"]
    units: Float[np.ndarray, "T L"]
    weights: Float[np.ndarray, "T L"]


def lengths_of(
    track: Track, around: SceneSamples, skeleton: Skeleton, placed: Float[np.ndarray, "T 3"]
) -> Lengths:
    """Lengths with a person `placed` in the cameras (pelvis, metres)."""
    keypoints, soles = posed_points(track.rotmats, placed, skeleton)
    depths_m = keypoints[..., 2] - skeleton.depths[:KEYPOINTS]
    trust = around.trust * pixel_weights(track)
    # A sole in contact is as far below the camera as the ground around it.
    normals = around.ground_normals
    feet = soles.reshape(-1, 2, 2, 3).mean(axis=2)
    below_m = -np.einsum("tfc,tfkc->tfk", feet, normals)
    below = -np.einsum("tfkc,tfkc->tfk", around.ground_points, normals)
    steep = below / np.maximum(np.linalg.norm(around.ground_points, axis=-1), 1e-9)
    standing = (track.contacts & track.valid[:, None])[..., None]
    touching = around.ground_weights * standing * np.clip(steep, 0.0, 1.0)
    T = len(placed)
    return Lengths(
        np.concatenate([depths_m, below_m.reshape(T, -1)], axis=1),
        np.concatenate([around.depths, below.reshape(T, -1)], axis=1),
        np.concatenate([trust / KEYPOINTS, touching.reshape(T, -1) / 2], axis=1),
    )
