"""Lens and camera of one picture from points of its pixels."""

import cv2
import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from stages.stage1_align3r.alignment.unknowns import viewing_rays

_ROUNDS = 10
_TINY = 1e-8

_FOCALS = (0.1, 10.0)
"""Of the long side: others are no lens, but points that fit none."""

_MOST_POINTS = 10_000
"""For a pose; more say nothing new."""

_FEWEST_POINTS = 4
_OFF_PX = 5.0
"""From its pixel at which a point is no inlier."""


def focal_px(points: Float[Tensor, "k h w 3"]) -> Float[Tensor, " k"]:
    """Of the lens through which each point map's own camera sees every point in its pixel.

    Weiszfeld's way to the least sum of distances in the picture, as in DUSt3R (section 3.3).
    """
    high, wide = points.shape[1:3]
    pixels = viewing_rays(high, wide, points.new_ones(()))[..., :2].flatten(0, 1)
    level = (points[..., :2] / points[..., 2:]).nan_to_num(posinf=0, neginf=0).flatten(1, 2)
    along, square = (level * pixels).sum(dim=-1), level.square().sum(dim=-1)
    focal = along.mean(dim=1) / square.mean(dim=1)
    for _ in range(_ROUNDS):
        away = torch.linalg.vector_norm(pixels - focal[:, None, None] * level, dim=-1)
        weight = 1 / away.clamp(min=_TINY)
        focal = (weight * along).mean(dim=1) / (weight * square).mean(dim=1)
    least, most = (share * max(high, wide) for share in _FOCALS)
    return focal.clamp(least, most)


def camera(
    points: Float[Tensor, "h w 3"], usable: Bool[Tensor, "h w"], focal: float, rounds: int
) -> Float[Tensor, "3 4"] | None:
    """T_world_camera of the camera that sees points in their pixels; None: none does.

    By samples of few points and their consensus (Fischler and Bolles 1981), and SQPnP on its
    inliers (Terzakis and Lourakis 2020).
    """
    high, wide = usable.shape
    step = max(1, int((high * wide / _MOST_POINTS) ** 0.5))
    here = usable[::step, ::step].cpu().numpy()
    row, column = np.nonzero(here)
    if len(row) < _FEWEST_POINTS:
        return None
    pixels = np.stack([column, row], axis=1).astype(np.float32) * step
    there = points[::step, ::step].cpu().numpy()[here]
    K = np.array([[focal, 0, wide / 2], [0, focal, high / 2], [0, 0, 1]], np.float32)
    found, rotation, t, _ = cv2.solvePnPRansac(
        there, pixels, K, None,
        iterationsCount=rounds, reprojectionError=_OFF_PX, flags=cv2.SOLVEPNP_SQPNP,
    )  # fmt: skip
    if not found:
        return None
    R = cv2.Rodrigues(rotation)[0].T
    return torch.from_numpy(np.concatenate([R, -R @ t], axis=1)).to(points)
