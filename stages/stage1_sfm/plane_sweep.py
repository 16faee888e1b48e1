"""Depth of one frame from its sources: a sweep at a quarter of the resolution, refined twice."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from stages.stage1_sfm.matching_cost import COARSE_WINDOW_PX, cost_volume
from stages.stage1_sfm.semi_global import aggregate
from stages.stage1_sfm.sources import DepthTask
from stages.stage1_sfm.views import Views, box, relative

MIN_STEPS, MAX_STEPS = 24, 72
FINE_REACH = 1.5
"""Finer hypotheses reach so many coarser steps to either side."""
FINE_STEPS = 7
FINE_SMOOTHING_PX = 3


@dataclass(frozen=True)
class Measured:
    """Inverse depth of one frame and the matching cost that it has."""

    inverse_depth: Float[Tensor, "H W"]
    cost: Float[Tensor, "H W"]
    inverse_depth_per_px: float
    """How much inverse depth moves a point by a pixel in the widest source."""


def widest_shift_px(views: Views, task: DepthTask) -> float:
    """How far a point moves in the widest source, between the nearest and the farthest depth."""
    height, width = views.size
    corners = torch.tensor(
        [[0, 0, 1], [width - 1, 0, 1], [0, height - 1, 1], [width - 1, height - 1, 1],
         [(width - 1) / 2, (height - 1) / 2, 1]], dtype=torch.float32, device=views.device
    ).T  # fmt: skip
    longest = 1.0  # Also where no source is ahead of both depths; keeps divisions finite.
    for source in task.sources:
        A, b = relative(views, task.frame, source)
        near, far = (
            A @ corners + task.nearest * b[:, None],
            A @ corners + task.farthest * b[:, None],
        )
        if (near[2] <= 0).any() or (far[2] <= 0).any():
            continue
        moved = (near[:2] / near[2] - far[:2] / far[2]).norm(dim=0)
        longest = max(longest, float(moved.median()))
    return longest


def peak(cost: Float[Tensor, "D H W"]) -> tuple[Tensor, Tensor]:
    """The lowest cost along D: its place, between hypotheses by a parabola, and its value."""
    count = len(cost)
    value, place = cost.min(0)
    inner = place.clamp(1, count - 2)
    left, middle, right = (cost.gather(0, (inner + step)[None])[0] for step in (-1, 0, 1))
    bend = (left - 2 * middle + right).clamp_min(1e-6)
    offset = (0.5 * (left - right) / bend).clamp(-1, 1)
    at_inner = place == inner
    return torch.where(at_inner, inner + offset.clamp(-0.5, 0.5), place.float()), value


def measure(pyramid: Sequence[Views], task: DepthTask) -> Measured:
    """The inverse depth at every pixel of a frame; what it is worth is for others to check.

    Args:
        pyramid: the views, finest first, each of half the resolution of the one before.
    """
    coarsest = pyramid[-1]
    shift_px = widest_shift_px(coarsest, task)
    steps = min(MAX_STEPS, max(MIN_STEPS, math.ceil(shift_px) + 1))
    ladder = torch.linspace(task.farthest, task.nearest, steps, device=coarsest.device)
    hypotheses = ladder[:, None, None].expand(steps, *coarsest.size)
    cost = cost_volume(coarsest, task.frame, task.sources, hypotheses, COARSE_WINDOW_PX)
    place, _ = peak(aggregate(cost, coarsest.grey(task.frame)))
    step = float(ladder[1] - ladder[0])
    inverse_depth = task.farthest + place * step
    for views in reversed(pyramid[:-1]):
        inverse_depth, cost = refine(views, task, _doubled(inverse_depth), FINE_REACH * step)
        step *= 2 * FINE_REACH / (FINE_STEPS - 1)
    scale = 2 ** (len(pyramid) - 1)  # A coarse pixel is so many fine ones.
    return Measured(inverse_depth, cost, (task.nearest - task.farthest) / (scale * shift_px))


def _doubled(image: Float[Tensor, "h w"]) -> Float[Tensor, "H W"]:
    return F.interpolate(image[None, None], scale_factor=2, mode="bilinear")[0, 0]


def refine(
    views: Views, task: DepthTask, around: Float[Tensor, "H W"], reach: float
) -> tuple[Float[Tensor, "H W"], Float[Tensor, "H W"]]:
    """Looks for a better inverse depth within `reach` of a given one; also returns its cost."""
    offsets = torch.linspace(-reach, reach, FINE_STEPS, device=around.device)
    hypotheses = (around + offsets[:, None, None]).clamp_min(0.2 * task.farthest)
    cost = cost_volume(views, task.frame, task.sources, hypotheses)
    place, value = peak(box(cost, FINE_SMOOTHING_PX))
    step = float(offsets[1] - offsets[0])
    return around + (place - (FINE_STEPS - 1) / 2) * step, value
