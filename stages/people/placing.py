"""Where people are before each camera, by the size and place of their bodies in the images."""

import numpy as np
from jaxtyping import Float

from stages.body.skeleton import Skeleton
from stages.geometry.placement import place_before_camera
from stages.people.posing import posed_points
from stages.people.tracks import Cameras, Track

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
    offsets, _ = posed_points(track.rotmats, np.zeros((len(track.valid), 3)), skeleton)
    return place_before_camera(offsets, viewing_rays(cameras, track.pixels), pixel_weights(track))
