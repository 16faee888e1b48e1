"""One depth map of each frame from all pairs of which it is the first picture."""

import torch
from jaxtyping import Float, Int
from torch import Tensor

from stages.stage1_align3r.alignment.medians import weighted_median

_ROUNDS = 2
_NEAREST = 1e-6
"""In a pair's unit."""


def frame_depths(
    first: Int[Tensor, " e"],
    depth: Float[Tensor, "e h w"],
    confidence: Float[Tensor, "e h w"],
    frames: int,
) -> tuple[Float[Tensor, "n h w"], Float[Tensor, " e"]]:
    """Logarithms of every frame's depth, and of every pair's unit over that of its first frame.

    Medians over pairs of depth in one unit, and over pixels of units, by confidence and in turn:
    a pair's outliers do not count. Every frame must be first in a pair.
    """
    log_depth = depth.new_empty(frames, *depth.shape[1:])
    log_unit = depth.new_empty(len(depth))
    for frame in range(frames):
        rows = (first == frame).nonzero()[:, 0]
        seen, sure = log_of(depth[rows]), confidence[rows]
        middle = seen[sure.mean(dim=(1, 2)).argmax()]
        for _ in range(_ROUNDS):
            unit = weighted_median((seen - middle).flatten(1), sure.flatten(1))
            level = seen - unit[:, None, None]
            middle = weighted_median(level.movedim(0, -1), sure.movedim(0, -1))
        log_depth[frame] = middle
        log_unit[rows] = weighted_median((seen - middle).flatten(1), sure.flatten(1))
    return log_depth, log_unit


def log_of(depth: Tensor) -> Tensor:
    """What lies behind the camera, or in it, counts as one unit away."""
    return torch.where(depth > _NEAREST, depth, 1.0).log()
