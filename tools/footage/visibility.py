"""Which points of people can be seen in a rendered image."""

from __future__ import annotations

import torch
from jaxtyping import Float, Int
from torch import Tensor

from stages.body.joint_names import BODY_AND_FEET
from tools.footage.batches import CameraBatch, Rendered

OUT_OF_FRAME, HIDDEN, VISIBLE = 0, 1, 2
# Joints lie inside the body, this far behind the skin at most; picked vertices lie on it.
_JOINT_DEPTH_M, _SKIN_DEPTH_M = 0.15, 0.04


def keypoint_visibility(
    rendered: Rendered, cameras: CameraBatch, points_m: Float[Tensor, "B P 133 3"]
) -> tuple[Float[Tensor, "B P 133 2"], Int[Tensor, "B P 133"]]:
    """Pixels of COCO-WholeBody points and OUT_OF_FRAME, HIDDEN or VISIBLE for each.

    A point is visible where nothing stands before it in the depth image, except its own body up
    to the body's thickness there. NaN points count as out of frame.
    """
    height, width = rendered.depth_m.shape[1:]
    pixels, depth = cameras.project(points_m)
    x, y = pixels.nan_to_num(-1e6).round().clamp(-1e6, 1e6).long().unbind(-1)
    inside = (x >= 0) & (x < width) & (y >= 0) & (y < height) & (depth > 0)
    x, y = x.clamp(0, width - 1), y.clamp(0, height - 1)
    image = torch.arange(len(points_m), device=points_m.device)[:, None, None].expand_as(x)
    seen = rendered.depth_m[image, y, x]
    seen = torch.where(seen > 0, seen, torch.inf)
    slack = torch.full((points_m.shape[2],), _SKIN_DEPTH_M, device=points_m.device)
    slack[:BODY_AND_FEET] = _JOINT_DEPTH_M
    person = torch.arange(points_m.shape[1], device=points_m.device)[:, None]
    on_own_body = rendered.person_ids[image, y, x] == person + 1
    slack = torch.where(on_own_body, slack, _SKIN_DEPTH_M)
    state = torch.where(depth < seen + slack, VISIBLE, HIDDEN)
    return pixels, torch.where(inside, state, OUT_OF_FRAME)
