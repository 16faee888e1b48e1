"""From rendered pictures to the square crops of single people that VIMO and BSTRO look at.

The crop geometry is that of `stages.stage0_vimo.crops` and `stages.stage0_bstro.crops`, left in
fractions of pixels and batched on the training device.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from stages.body.joint_names import BODY_AND_FEET
from tools.checkpoints import pictures
from tools.checkpoints.samples import Shots


def disturbed_boxes(boxes: Float[Tensor, "n 4"], strength: float) -> Float[Tensor, "n 4"]:
    """Boxes as a segmentation finds them: every side off by a few per cent of the box."""
    size = (boxes[:, 2:] - boxes[:, :2]).repeat(1, 2)
    noise = torch.randn_like(boxes) * torch.rand(len(boxes), 1, device=boxes.device)
    moved = boxes + strength * size * noise
    low = moved[:, :2]
    return torch.cat([low, torch.maximum(moved[:, 2:], low + 8)], 1)


def to_square(
    low: Float[Tensor, "n 2"], size_px: Float[Tensor, " n"], side: int
) -> Float[Tensor, "n 2 3"]:
    """Picture pixels to the pixels of a crop of `side`, both with integer pixel centres."""
    scale = (side / size_px)[:, None]
    shift = (0.5 - low) * scale - 0.5
    matrix = scale[..., None] * torch.eye(2, device=low.device)
    return torch.cat([matrix, shift[..., None]], -1)


@dataclass
class Chosen:
    """People of shots that are seen well enough to learn from: picture and slot numbers."""

    picture: Int[Tensor, " n"]
    slot: Int[Tensor, " n"]
    boxes: Float[Tensor, "n 4"]


def well_seen(shots: Shots, smallest_px: int, smallest_height_px: float) -> Bool[Tensor, "N P"]:
    """Who covers enough of the picture, and is not mostly hidden or cut off."""
    height = shots.boxes[..., 3] - shots.boxes[..., 1]
    points = shots.visible[..., :BODY_AND_FEET].float().mean(-1)
    return (shots.visible_px >= smallest_px) & (height >= smallest_height_px) & (points > 0.6)


def chosen_stills(shots: Shots) -> Chosen:
    """Every well seen person of every picture."""
    picture, slot = well_seen(shots, 500, 40.0).nonzero(as_tuple=True)
    return Chosen(picture, slot, shots.boxes[picture, slot])


def chosen_clips(shots: Shots) -> Chosen:
    """People who are well seen in all frames of their clip, frame after frame."""
    seen = well_seen(shots, 500, 40.0).unflatten(0, (-1, shots.frames))
    clip, slot = seen.all(1).nonzero(as_tuple=True)
    picture = clip[:, None] * shots.frames + torch.arange(shots.frames, device=clip.device)
    picture, slot = picture.flatten(), slot.repeat_interleave(shots.frames)
    return Chosen(picture, slot, shots.boxes[picture, slot])


def cut(
    shots: Shots, picture: Int[Tensor, " n"], A: Float[Tensor, "n 2 3"], height: int, width: int
) -> Tensor:
    """Crops as bytes (n, 3, height, width), black outside the picture."""
    parts = []
    for some in torch.arange(len(picture), device=picture.device).split(256):
        frames = pictures.as_float(shots.rgb[picture[some]])
        own = torch.arange(len(some), device=some.device)
        parts.append((pictures.crops(frames, own, A[some], height, width) * 255 + 0.5).byte())
    return torch.cat(parts) if parts else A.new_zeros(0, 3, height, width).byte()
