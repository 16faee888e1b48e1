"""How badly a frame and its sources agree on a depth: one minus zero-mean cross-correlation."""

import torch
from jaxtyping import Float
from torch import Tensor

from stages.stage1_sfm.views import Views, box, pixel_grid, relative, sample

WINDOW_PX = 5
NOISE = 2.0 / 255
"""Contrast below this counts as none: its correlation would be that of sensor noise."""
UNSEEN_COST = 1.0
"""Where no source looks: as if uncorrelated."""
_PIXELS_AT_ONCE = {"cpu": 200_000, "cuda": 50_000_000}
"""On a processor, so little that intermediate results stay in its cache."""


def window_stats(grey: Float[Tensor, "H W"]) -> tuple[Tensor, Tensor]:
    """Mean and standard deviation of the windows of one image."""
    mean = box(grey[None], WINDOW_PX)[0]
    variance = box(grey[None] ** 2, WINDOW_PX)[0] - mean**2
    return mean, torch.sqrt(variance.clamp_min(0) + NOISE**2)


def source_cost(
    views: Views,
    reference: int,
    source: int,
    inverse_depth: Float[Tensor, "D H W"],
    reference_stats: tuple[Tensor, Tensor],
) -> Float[Tensor, "D H W"]:
    """Cost 0 (same up to brightness and contrast) to 2 for every inverse depth; inf if unseen.

    The window is bent along `inverse_depth`, so slanted surfaces match if their depth varies.
    """
    A, b = relative(views, reference, source)
    rays = torch.einsum("ij,jhw->ihw", A, pixel_grid(*views.size, views.grey.device))
    z = torch.addcmul(rays[2], inverse_depth, b[2])
    ahead = z > 1e-6
    z = z.clamp_min_(1e-6).reciprocal_()
    x = torch.addcmul(rays[0], inverse_depth, b[0]).mul_(z)
    y = torch.addcmul(rays[1], inverse_depth, b[1]).mul_(z)
    warped, still = sample(views.grey[source], x, y), sample(views.still[source], x, y)
    mean, deviation = reference_stats
    warped_mean = box(warped, WINDOW_PX)
    covariance = box(warped * views.grey[reference], WINDOW_PX).addcmul_(
        warped_mean, mean, value=-1
    )
    variance = box(warped.square_(), WINDOW_PX).addcmul_(warped_mean, warped_mean, value=-1)
    scale = variance.clamp_min_(0).add_(NOISE**2).sqrt_().mul_(deviation)
    cost = covariance.div_(scale).neg_().add_(1)
    return cost.masked_fill_((still < 0.99).logical_or_(~ahead), torch.inf)


def cost_volume(
    views: Views,
    reference: int,
    sources: tuple[int, ...],
    inverse_depth: Float[Tensor, "D H W"],
) -> Float[Tensor, "D H W"]:
    """Mean cost of the two best sources at every pixel and inverse depth.

    Two, because a point that is hidden from one source is seen by others.
    """
    stats = window_stats(views.grey[reference])
    pixels = views.size[0] * views.size[1]
    at_once = max(1, _PIXELS_AT_ONCE[views.grey.device.type] // pixels)
    pieces = []
    for piece in inverse_depth.split(at_once):
        best = torch.full_like(piece, torch.inf)
        second = best
        for source in sources:
            cost = source_cost(views, reference, source, piece, stats)
            second = torch.minimum(second, torch.maximum(best, cost))
            best = torch.minimum(best, cost)
        mean = torch.where(second.isfinite(), 0.5 * (best + second), best)
        pieces.append(torch.where(best.isfinite(), mean, UNSEEN_COST))
    return torch.cat(pieces)
