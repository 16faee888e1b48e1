"""How badly a frame and its sources agree on a depth: one minus zero-mean cross-correlation."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from stages.stage1_sfm.views import Views, box, nearest, pixel_grid, relative, sample

WINDOW_PX = 5
COARSE_WINDOW_PX = 3
"""Of images of a quarter of the resolution, where a window of five pixels fattens every edge."""
NOISE = 2.0 / 255
"""Contrast below this counts as none: its correlation would be that of sensor noise."""
UNSEEN_COST = 1.0
"""Where no source looks: as if uncorrelated."""
_PIXELS_AT_ONCE = {"cpu": 100_000, "cuda": 50_000_000}
"""On a processor, so little that intermediate results stay in its cache."""


def window_stats(grey: Float[Tensor, "H W"], window_px: int) -> tuple[Tensor, Tensor]:
    """Mean and standard deviation of the windows of one image."""
    mean = box(grey[None], window_px)[0]
    variance = box(grey[None] ** 2, window_px)[0] - mean**2
    return mean, torch.sqrt(variance.clamp_min(0) + NOISE**2)


@dataclass(frozen=True)
class _Epipolar:
    """Where pixels of a reference are seen in a source: at A x + w b for inverse depth w."""

    grey: Float[Tensor, "H W"]
    unseen: Float[Tensor, "H W"]
    """Infinite where a bilinear sample would touch something that moves, else 0."""
    at_infinity: Float[Tensor, "3 H W"]
    """A x."""
    step: Float[Tensor, "3"]
    """b."""


def _epipolar(views: Views, reference: int, source: int) -> _Epipolar:
    A, b = relative(views, reference, source)
    rays = torch.einsum("ij,jhw->ihw", A, pixel_grid(*views.size, views.device))
    return _Epipolar(views.grey(source), views.unseen(source), rays, b)


def _source_cost(
    reference: Float[Tensor, "H W"],
    stats: tuple[Tensor, Tensor],
    source: _Epipolar,
    inverse_depth: Float[Tensor, "D H W"],
    window_px: int,
) -> Float[Tensor, "D H W"]:
    """Cost 0 (same up to brightness and contrast) to 2 for every inverse depth; inf if unseen.

    The window is bent along `inverse_depth`, so slanted surfaces match if their depth varies.
    """
    rays, b = source.at_infinity, source.step
    z = torch.addcmul(rays[2], inverse_depth, b[2]).clamp_min_(1e-6).reciprocal_()
    x = torch.addcmul(rays[0], inverse_depth, b[0]).mul_(z)
    y = torch.addcmul(rays[1], inverse_depth, b[1]).mul_(z)
    # What lies behind the source is thrown far out of its image by the bound on z.
    warped, unseen = sample(source.grey, x, y), nearest(source.unseen, x, y, torch.inf)
    mean, deviation = stats
    warped_mean = box(warped, window_px)
    covariance = box(warped * reference, window_px).addcmul_(warped_mean, mean, value=-1)
    variance = box(warped.square_(), window_px).addcmul_(warped_mean, warped_mean, value=-1)
    scale = variance.clamp_min_(0).add_(NOISE**2).sqrt_().mul_(deviation)
    cost = covariance.div_(scale).neg_().add_(1)
    return torch.maximum(cost, unseen, out=cost)


def cost_volume(
    views: Views,
    reference: int,
    sources: tuple[int, ...],
    inverse_depth: Float[Tensor, "D H W"],
    window_px: int = WINDOW_PX,
) -> Float[Tensor, "D H W"]:
    """Mean cost of the two best sources at every pixel and inverse depth.

    Two, because a point that is hidden from one source is seen by others.
    """
    grey = views.grey(reference)
    stats = window_stats(grey, window_px)
    prepared = [_epipolar(views, reference, source) for source in sources]
    at_once = max(1, _PIXELS_AT_ONCE[views.device.type] // grey.numel())
    pieces = []
    for piece in inverse_depth.split(at_once):
        best = torch.full_like(piece, torch.inf)
        second = best
        for source in prepared:
            cost = _source_cost(grey, stats, source, piece, window_px)
            second = torch.minimum(second, torch.maximum(best, cost))
            best = torch.minimum(best, cost)
        mean = torch.where(second.isfinite(), 0.5 * (best + second), best)
        pieces.append(torch.where(best.isfinite(), mean, UNSEEN_COST))
    return torch.cat(pieces)
