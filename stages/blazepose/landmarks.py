"""What BlazePose's landmark network sees in a crop: points, a mask, and whether somebody is there.

The network gives 39 points: 33 of the body, and with 33 and 34 the circle around it, which is where
to look in the next frame.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Float32
from scipy.special import expit

from stages.blazepose.networks import Outputs

FILE, HEAVY_FILE = "pose_landmark_full.tflite", "pose_landmark_heavy.tflite"
"""The network that is used, and one with the same outputs that is more exact and slower."""
SIZE = 256
"""Side of the network's picture, and of its mask, in pixels."""
POINTS, BODY = 39, 33
HIPS, RIM = 33, 34
MIRRORED = [
    *(0, 4, 5, 6, 1, 2, 3, 8, 7, 10, 9),
    *(point + 1 if point % 2 else point - 1 for point in range(11, BODY)),
    *range(BODY, POINTS),
]
"""For every point the one that it is in a mirror."""
CELLS = 64
"""Side of the network's heat maps."""
WINDOW = 7
"""Cells of a heat map that a point is moved to the middle of (BlazePose's own)."""
LEAST_HEAT = 0.5
"""A heat map with less than this around its point moves it nowhere (BlazePose's own)."""


@dataclass(frozen=True, eq=False)
class Landmarks:
    """One look of the network.

    points: x, y, and z, forward, in pixels of the crop; z from the middle of the hips.
    world_m: the same points in metres from the middle of the hips, along the axes of the crop.
    visibility: that a point is to be seen; presence: that it is in the picture; mask: that a pixel
    is of the person; score: that somebody is there; all from 0 to 1.
    """

    points: Float[np.ndarray, "39 3"]
    world_m: Float[np.ndarray, "39 3"]
    visibility: Float[np.ndarray, "39"]
    presence: Float[np.ndarray, "39"]
    mask: Float[np.ndarray, "256 256"]
    score: float

    def unmirrored(self) -> "Landmarks":
        """What was seen in a mirror image, as it is in the picture."""
        return Landmarks(
            self.points[MIRRORED] * [-1, 1, 1] + [SIZE, 0, 0],
            self.world_m[MIRRORED] * [-1, 1, 1],
            self.visibility[MIRRORED],
            self.presence[MIRRORED],
            self.mask[:, ::-1],
            self.score,
        )


def decoded(outputs: Outputs) -> Landmarks:
    """The outputs of the network in meaningful units."""
    values = outputs[(POINTS * 5,)].reshape(POINTS, 5).astype(float)
    places = refined(values[:, :2], outputs[(CELLS, CELLS, POINTS)])
    return Landmarks(
        np.column_stack([places, values[:, 2]]),
        outputs[(POINTS * 3,)].reshape(POINTS, 3).astype(float),
        expit(values[:, 3]),
        expit(values[:, 4]),
        expit(outputs[(SIZE, SIZE, 1)][..., 0]),
        float(outputs[(1,)][0]),
    )


def mean(a: Landmarks, b: Landmarks) -> Landmarks:
    """The mean of two looks."""
    return Landmarks(
        (a.points + b.points) / 2,
        (a.world_m + b.world_m) / 2,
        (a.visibility + b.visibility) / 2,
        (a.presence + b.presence) / 2,
        (a.mask + b.mask) / 2,
        (a.score + b.score) / 2,
    )


def refined(
    places: Float[np.ndarray, "K 2"], heat_logits: Float32[np.ndarray, "64 64 K"]
) -> Float[np.ndarray, "K 2"]:
    """Points moved to the middle of the heat around them, in pixels of the network's picture.

    The network gives its points by regression; its heat maps know better where a point can be seen
    at all. This is how BlazePose's own pipeline combines them.
    """
    reach, stride = WINDOW // 2, SIZE / CELLS
    cells = np.floor(places / stride).astype(int)
    around = np.arange(-reach, reach + 1)
    x, y = cells[:, 0, None] + around, cells[:, 1, None] + around
    inside = ((y >= 0) & (y < CELLS))[:, :, None] & ((x >= 0) & (x < CELLS))[:, None, :]
    point = np.arange(len(places))[:, None, None]
    rows, columns = np.clip(y, 0, CELLS - 1)[:, :, None], np.clip(x, 0, CELLS - 1)[:, None, :]
    heat = expit(heat_logits[rows, columns, point]) * inside
    total = heat.sum((1, 2))
    centre = np.stack([(heat.sum(1) * x).sum(1), (heat.sum(2) * y).sum(1)], axis=1)
    hot = (heat.max((1, 2)) >= LEAST_HEAT) & (cells >= 0).all(1) & (cells < CELLS).all(1)
    return np.where(hot[:, None], stride * centre / np.maximum(total, 1e-9)[:, None], places)
