"""Steps of the refinement: first each frame's scale and shift, then the depth of every pixel."""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from torch import Tensor

from stages.stage1_megasam.refinement.agreement import Cameras, disagreements
from stages.stage1_megasam.refinement.flow_pairs import FlowPairs
from stages.stage1_megasam.refinement.likeness import Weights, surfaces, unlikeness

_FRAME_STEPS, _FRAME_RATE = 100, 1e-2
_PIXEL_STEPS, _PIXEL_RATE = 400, 5e-3
_FRAME_WEIGHTS, PIXEL_WEIGHTS = Weights(normals=4.0), Weights()
_SUREST = 0.5
_LEAST_SURE = 1e-3
_CONFIDENCES = (1e-4, 1e3)
_DISPARITIES = (1e-3, 1e3)
_TINY = 1e-8
_PAIRS_AT_ONCE, _FRAMES_AT_ONCE = 64, 64
"""Bound the memory; the result does not depend on them."""

Progress = Callable[[float], None]


def refine(
    disparity: Float[Tensor, "f 2*h 2*w"],
    static: Float[Tensor, "f h/4 w/4"],
    T_camera_world: Float[Tensor, "f 7"],
    intrinsics_px: Float[Tensor, " 4"],
    pairs: FlowPairs,
    progress: Progress = lambda share: None,
    weights: Weights = PIXEL_WEIGHTS,
) -> Float[Tensor, "f 2*h 2*w"]:
    """Disparity that agrees from frame to frame.

    Args:
        disparity: of single pictures, in the unit of the cameras' positions.
        static: probability that a cell is part of the static world.
        intrinsics_px: fx, fy, cx, cy in pixels of `disparity`; integers are middles of pixels.
        pairs: flow at half that size.
        progress: is told the share that is done.
        weights: of the depth of every pixel; each frame's scale and shift have their own.
    """
    halved = F.avg_pool2d(disparity[:, None], 2)[:, 0]
    sure = F.interpolate(static[:, None], halved.shape[1:], mode="bilinear")[:, 0]
    sure = sure.clamp(_LEAST_SURE, _SUREST).requires_grad_()
    focal, centre = intrinsics_px.to(halved).split(2)
    lens = torch.cat([focal / 2, (centre + 0.5) / 2 - 0.5])
    problem = _Problem(pairs, Cameras(T_camera_world.to(halved), lens), halved.clamp(*_DISPARITIES))

    scale, shift = (halved.new_zeros(len(halved), 1, 1).requires_grad_() for _ in range(2))
    total = _FRAME_STEPS + _PIXEL_STEPS

    def moved() -> Tensor:
        return halved * scale.exp() + shift

    frames = torch.optim.Adam([scale, shift, sure], lr=_FRAME_RATE)
    for step in range(_FRAME_STEPS):
        problem.step(frames, moved, sure, _FRAME_WEIGHTS)
        progress((step + 1) / total)
    free = moved().detach().requires_grad_()
    problem.single = free.detach().clamp(*_DISPARITIES)
    pixels = torch.optim.Adam([free, sure], lr=_PIXEL_RATE)
    for step in range(_PIXEL_STEPS):
        problem.step(pixels, lambda: free, sure, weights)
        progress((_FRAME_STEPS + step + 1) / total)
    found = free.detach().clamp(*_DISPARITIES)
    return F.interpolate(found[:, None], scale_factor=2, mode="bilinear")[:, 0]


class _Problem:
    def __init__(self, pairs: FlowPairs, cameras: Cameras, single: Tensor) -> None:
        self.pairs, self.cameras, self.single = pairs, cameras, single
        self.surface: Bool[Tensor, "f h w"] = surfaces(single)

    def step(
        self,
        optimiser: torch.optim.Optimizer,
        disparity: Callable[[], Tensor],
        confidence: Tensor,
        weights: Weights,
    ) -> None:
        """One step of Adam; slopes that are no numbers count as none."""
        optimiser.zero_grad()
        ends = [disparity().clamp(*_DISPARITIES), confidence.clamp(*_CONFIDENCES)]
        torch.autograd.backward(ends, self._slopes(ends, weights))
        for group in optimiser.param_groups:
            for each in group["params"]:
                each.grad.nan_to_num_(nan=0.0)
        optimiser.step()

    def _slopes(self, ends: list[Tensor], weights: Weights) -> list[Tensor]:
        """Of the loss by disparity and confidence, pairs and frames a few at a time."""
        disparity, confidence = (each.detach().requires_grad_() for each in ends)
        slopes = [torch.zeros_like(each) for each in ends]
        count = 0
        for first in range(0, len(self.pairs), _PAIRS_AT_ONCE):
            some = self.pairs.picked(slice(first, first + _PAIRS_AT_ONCE))
            lost, counted = disagreements(disparity, confidence, some, self.cameras)
            count += int(counted)
            for slope, part in zip(
                slopes, torch.autograd.grad(lost, (disparity, confidence)), strict=True
            ):
                slope += part
        for slope in slopes:
            slope /= count + _TINY
        for first in range(0, len(disparity), _FRAMES_AT_ONCE):
            few = slice(first, first + _FRAMES_AT_ONCE)
            lost = unlikeness(
                disparity[few], self.single[few], self.surface[few], self.cameras, weights
            )
            share = len(self.single[few]) / len(disparity)
            slopes[0] += torch.autograd.grad(share * lost, disparity)[0]
        return slopes
