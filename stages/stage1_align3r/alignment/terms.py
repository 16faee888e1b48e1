"""The terms of the alignment's loss; each of a bounded number of pairs.

Defaults are those of MonST3R's and VideoMimic's calls.
"""

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from torch import Tensor

from stages.stage1_align3r.alignment.unknowns import inverse, moved

FLOW_WEIGHT = 0.01
MOTION_WEIGHT = 0.01
_TRANSLATION_WEIGHT = 0.1
"""Of camera motion's length, against its rotation."""

_MOST_FLOW_ERROR = 50.0
"""Of a pixel's column or row, in the loss's unit: a larger one is a mistake and does not count."""

_IN_FRONT = 1e-6
"""Least distance from the plane of a camera's centre."""


def point_distance(
    points: Float[Tensor, "k h w 3"],
    S_world_pair: Float[Tensor, "k 3 4"],
    seen: Float[Tensor, "k h w 3"],
    confidence: Float[Tensor, "k h w"],
) -> Float[Tensor, ""]:
    """Sum of distances between a frame's points and a pair's, by the logarithm of confidence."""
    away = torch.linalg.vector_norm(points - moved(S_world_pair, seen), dim=-1)
    return (away * confidence.log()).sum()


def flow_error(
    points: Float[Tensor, "k h w 3"],
    T_world_target: Float[Tensor, "k 3 4"],
    focal_px: Float[Tensor, ""],
    flow: Float[Tensor, "k 2 h w"],
    static: Bool[Tensor, "k h w"],
) -> tuple[Float[Tensor, ""], Float[Tensor, ""]]:
    """Sum of smooth absolute errors of flow, and how many numbers it is of."""
    found = camera_flow(points, T_world_target, focal_px)
    error = F.smooth_l1_loss(found, flow.movedim(1, -1), reduction="none")
    counted = (error < _MOST_FLOW_ERROR) & static[..., None]
    return torch.where(counted, error, 0).sum(), counted.sum()


def camera_flow(
    points: Float[Tensor, "k h w 3"],
    T_world_target: Float[Tensor, "k 3 4"],
    focal_px: Float[Tensor, "*k"],
) -> Float[Tensor, "k h w 2"]:
    """Where points of pixels are seen from other cameras, away from the pixels themselves."""
    high, wide = points.shape[1:3]
    there = moved(inverse(T_world_target), points)
    depth = there[..., 2:]
    depth = torch.where(depth.abs() < _IN_FRONT, _IN_FRONT, depth)
    focal = focal_px.reshape(-1, 1, 1, 1)
    row, column = torch.meshgrid(
        torch.arange(high, device=points.device), torch.arange(wide, device=points.device),
        indexing="ij",
    )  # fmt: skip
    own = torch.stack([column - wide / 2, row - high / 2], dim=-1)
    return focal * there[..., :2] / depth - own


def camera_motion(T_world_camera: Float[Tensor, "n 3 4"]) -> Float[Tensor, ""]:
    """How far the camera turns and moves from each frame to the next, in all."""
    before, after = T_world_camera[:-1], T_world_camera[1:]
    back = before[..., :3].mT
    turn = back @ after[..., :3] - torch.eye(3, device=after.device, dtype=after.dtype)
    step = (back @ (after[..., 3:] - before[..., 3:]))[..., 0]
    moves = torch.linalg.vector_norm(step, dim=-1)
    return (torch.linalg.matrix_norm(turn) + _TRANSLATION_WEIGHT * moves).sum()
