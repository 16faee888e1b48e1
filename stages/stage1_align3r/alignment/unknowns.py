"""What is estimated, in the numbers that the optimiser moves, and what follows from them."""

import math
from dataclasses import dataclass
from typing import NamedTuple

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from stages.geometry import se3
from stages.geometry.rotations import wxyz_from_matrix

FOCAL_BREAK = 20.0
"""Times the focal length's logarithm: so much faster it moves than one step would let it."""

MEAN_PAIR_SCALE = 0.5
"""Geometric mean of all pairs' scales: without it everything would shrink to a point."""


@dataclass(frozen=True)
class Unknowns:
    """Poses are a translation, as the signed logarithm of one plus its length in every axis, and
    a quaternion wxyz of any length; both take camera coordinates to the world."""

    log_depth: Float[Tensor, "n h w"]
    cameras: Float[Tensor, "n 7"]
    log_focal: Float[Tensor, ""]
    """Of all frames, in pixels, times `FOCAL_BREAK`."""
    pairs: Float[Tensor, "e 8"]
    """Of the first picture's camera in every pair's own unit; last the logarithm of that unit."""

    def all(self) -> tuple[Tensor, ...]:
        """For the optimiser."""
        return self.log_depth, self.cameras, self.log_focal, self.pairs


class Placed(NamedTuple):
    """What follows from the unknowns, and what the terms are of."""

    points: Float[Tensor, "n h w 3"]
    """Of every pixel, in the world."""
    T_world_camera: Float[Tensor, "n 3 4"]
    focal_px: Float[Tensor, ""]
    S_world_pair: Float[Tensor, "e 3 4"]
    """Similarities."""


def placed(unknowns: Unknowns) -> Placed:
    """Can be differentiated."""
    high, wide = unknowns.log_depth.shape[1:]
    focal = (unknowns.log_focal / FOCAL_BREAK).exp()
    depth = unknowns.log_depth.exp()
    rays = viewing_rays(high, wide, focal)
    cameras = _rigid(unknowns.cameras)
    points = moved(cameras, depth[..., None] * rays)
    log_scale = unknowns.pairs[:, -1]
    scale = (log_scale - log_scale.mean()).exp() * MEAN_PAIR_SCALE
    pairs = _rigid(unknowns.pairs[:, :-1]) * scale[:, None, None]
    return Placed(points, cameras, focal, pairs)


def viewing_rays(high: int, wide: int, focal_px: Float[Tensor, "*B"]) -> Float[Tensor, "*B h w 3"]:
    """Of depth 1 through every pixel; the optical axis is at half the width and height."""
    row, column = torch.meshgrid(
        torch.arange(high, device=focal_px.device, dtype=focal_px.dtype),
        torch.arange(wide, device=focal_px.device, dtype=focal_px.dtype),
        indexing="ij",
    )
    level = torch.stack([column - wide / 2, row - high / 2], dim=-1)
    level = level / focal_px[..., None, None, None]
    return F.pad(level, (0, 1), value=1.0)


def moved(T: Float[Tensor, "k 3 4"], points: Float[Tensor, "k h w 3"]) -> Float[Tensor, "k h w 3"]:
    """Points of every frame or pair by its own transform."""
    # Column by column: products of matrices this thin, and their gradients, are slow on GPUs.
    x, y, z = points[..., None].unbind(-2)
    right, down, ahead, shift = T[:, None, None].unbind(-1)
    return x * right + y * down + z * ahead + shift


def inverse(T: Float[Tensor, "*B 3 4"]) -> Float[Tensor, "*B 3 4"]:
    """Of rigid transforms."""
    R = T[..., :3].mT
    return torch.cat([R, -R @ T[..., 3:]], dim=-1)


def pose_numbers(T: Float[Tensor, "*B 3 4"]) -> Float[Tensor, "*B 7"]:
    """The optimiser's numbers of rigid transforms."""
    translation = T[..., 3]
    short = translation.sign() * translation.abs().log1p()
    quaternion = torch.from_numpy(wxyz_from_matrix(T[..., :3].double().cpu().numpy()))
    return torch.cat([short, quaternion.to(T)], dim=-1)


def pair_numbers(scale: Float[Tensor, " e"], T: Float[Tensor, "e 3 4"]) -> Float[Tensor, "e 8"]:
    """The optimiser's numbers of similarities `scale R, t`."""
    own_unit = torch.cat([T[..., :3], T[..., 3:] / scale[:, None, None]], dim=-1)
    return torch.cat([pose_numbers(own_unit), scale.log()[:, None]], dim=-1)


def focal_number(focal_px: float) -> float:
    """The optimiser's number of a focal length."""
    return FOCAL_BREAK * math.log(focal_px)


def _rigid(numbers: Float[Tensor, "k 7"]) -> Float[Tensor, "k 3 4"]:
    short, quaternion = numbers.split((3, 4), dim=-1)
    translation = short.sign() * short.abs().expm1()
    pose = torch.cat([translation, F.normalize(quaternion, dim=-1)], dim=-1)
    return torch.cat([se3.rotation_matrix(pose), translation[..., None]], dim=-1)
