"""How much a depth map is like that of the single picture: up to scale, in its edges and slopes."""

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from torch import Tensor

from stages.stage1_megasam.refinement.agreement import Cameras

_SCALES = (1, 2, 4, 8)
_LEAST_SIDE_PX = 3
"""Smaller maps have no slope."""

_EDGE = 5.0
_NEAR_DISPARITY = 1.0
"""Edges count on what is nearer."""

_FLAT, _STEEP = 1.2, 0.2
"""Weights of normals within surfaces and on the edges between them."""

_EDGE_SLOPE = 10.0
_EDGE_BELOW = 0.2
_BLUR_PX, _BLUR_SPREAD_PX = 5, 2.0
_TINY = 1e-24
"""Of squares: shorter vectors have no direction."""


@dataclass(frozen=True)
class Weights:
    """Of the terms of likeness."""

    level: float = 1.0
    edges: float = 2.0
    normals: float = 5.0


def unlikeness(
    disparity: Float[Tensor, "f h w"],
    single: Float[Tensor, "f h w"],
    surface: Bool[Tensor, "f h w"],
    cameras: Cameras,
    weights: Weights,
) -> Float[Tensor, ""]:
    """The mean over frames; `single`: disparity of single pictures, `surface`: `surfaces` of it."""
    found, wanted = disparity.log(), single.log()
    edges = found.new_zeros(())
    for step in _SCALES:
        if min(found.shape[1:]) // step < _LEAST_SIDE_PX:
            break
        every = slice(step // 2, None, step)
        edges = edges + _edges(found[:, every, every], wanted[:, every, every])
    slope = 1 - (normals(disparity, cameras) * normals(single, cameras)).sum(dim=1)
    of_normals = (torch.where(surface, _FLAT, _STEEP) * slope).mean()
    level = (found - wanted).flatten(1).var(dim=1, unbiased=False).mean()
    return weights.level * level + weights.edges * edges + weights.normals * of_normals


def surfaces(disparity: Float[Tensor, "f h w"]) -> Bool[Tensor, "f h w"]:
    """Pixels that are not on an edge."""
    steepness = sobel(disparity[:, None]).norm(dim=2)[:, 0]
    return (-_EDGE_SLOPE * steepness).exp() > _EDGE_BELOW


def normals(disparity: Float[Tensor, "f h w"], cameras: Cameras) -> Float[Tensor, "f 3 h w"]:
    """Of smoothed surfaces, in the camera's frame."""
    depth = _blurred(1 / disparity[:, None])
    points = depth * cameras.rays(disparity).movedim(-1, 0)
    (x1, y1, z1), (x2, y2, z2) = (each.unbind(dim=1) for each in sobel(points).unbind(dim=2))
    # Products of slices: on processors several times as fast as the library's own cross product.
    across = torch.stack([y1 * z2 - z1 * y2, z1 * x2 - x1 * z2, x1 * y2 - y1 * x2], dim=1)
    return across / across.square().sum(dim=1, keepdim=True).clamp(min=_TINY).sqrt()


def sobel(maps: Float[Tensor, "n c h w"]) -> Float[Tensor, "n c 2 h w"]:
    """Slopes along x and y, eight times as large; borders are repeated outwards."""
    wide = F.pad(maps, (1, 1, 1, 1), mode="replicate")
    along_x, along_y = wide[..., 2:] - wide[..., :-2], wide[..., 2:, :] - wide[..., :-2, :]
    return torch.stack(
        [
            along_x[..., :-2, :] + 2 * along_x[..., 1:-1, :] + along_x[..., 2:, :],
            along_y[..., :-2] + 2 * along_y[..., 1:-1] + along_y[..., 2:],
        ],
        dim=2,
    )


def _edges(found: Tensor, wanted: Tensor) -> Float[Tensor, ""]:
    """Differences of slopes, which count the more the steeper one of both is than the other."""
    along_x, along_y = _slopes(wanted - found)
    with torch.no_grad():
        near = found[:, 1:-1, 1:-1].exp() > _NEAR_DISPARITY
        weight = (1 - (-_EDGE * (_steepness(wanted) - _steepness(found)).abs()).exp()) * near
    return (along_x.abs() * weight).mean() + (along_y.abs() * weight).mean()


def _steepness(maps: Tensor) -> Tensor:
    along_x, along_y = _slopes(maps)
    return along_x.abs() + along_y.abs()


def _slopes(maps: Tensor) -> tuple[Tensor, Tensor]:
    return (
        maps[:, 1:-1, 2:] - maps[:, 1:-1, :-2],
        maps[:, 2:, 1:-1] - maps[:, :-2, 1:-1],
    )


def _blurred(maps: Float[Tensor, "n 1 h w"]) -> Float[Tensor, "n 1 h w"]:
    reach = _BLUR_PX // 2
    bell = [math.exp(-((n / _BLUR_SPREAD_PX) ** 2) / 2) for n in range(-reach, reach + 1)]
    share = [each / sum(bell) for each in bell]
    high, wide = maps.shape[2:]
    padded = F.pad(maps, (reach,) * 4, mode="reflect")
    rows = torch.zeros_like(padded[..., :wide])
    for n, each in enumerate(share):
        rows = rows + each * padded[..., n : n + wide]
    blurred = torch.zeros_like(maps)
    for n, each in enumerate(share):
        blurred = blurred + each * rows[..., n : n + high, :]
    return blurred
