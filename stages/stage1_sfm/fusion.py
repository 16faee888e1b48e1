"""Joins the key frames' depths into a depth for any frame, and keeps only what several confirm."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from stages.stage1_sfm.views import Views, pixel_grid, relative, sample

TOLERANCE, MAX_TOLERANCE = 0.02, 0.06
TOLERANCE_PX = 0.25
"""Relative difference of depths that confirm each other: at least the first, at most the second,
and between them what so many pixels mean at the parallax there is."""
CONFIRMATIONS = 2
"""Key frames that must agree on a depth."""
GUESSING_KEYS = (0, -2, 2, -7, 7)
CONFIRMING_KEYS = (0, -1, 1, -3, 3, -7, 7)
"""Key frames that are asked, counted from the nearest in time: near ones see the same places,
far ones what a person hides meanwhile. Past the clip's end, farther ones on the other side."""


@dataclass(frozen=True)
class KeyDepth:
    """The measured depth of a key frame."""

    frame: int
    inverse_depth: Float[Tensor, "H W"]
    good: Float[Tensor, "H W"]
    """1 where a good match was found on something that stands still, else 0."""
    inverse_depth_per_px: float
    """How much inverse depth moves a point by a pixel in the widest source."""


@dataclass(frozen=True)
class FusedDepth:
    """Depth of one frame's place, behind people too; 0 where unknown."""

    depth: Float[Tensor, "H W"]
    agreement: Float[Tensor, "H W"]
    """Share of the asked key frames that confirm the depth; 0 where unknown."""


def keys_around(frame: int, keys: Sequence[KeyDepth], steps: Sequence[int]) -> list[KeyDepth]:
    """The key frames so many steps from the one that is nearest in time.

    Args:
        keys: in order of time.
    """
    nearest = min(range(len(keys)), key=lambda place: abs(keys[place].frame - frame))
    last = len(keys) - 1
    places = []
    for step in steps:
        wanted = (nearest + step, nearest - 2 * step, min(max(nearest + step, 0), last))
        places.append(next(place for place in wanted if 0 <= place <= last))
    return [keys[place] for place in dict.fromkeys(places)]


def rendered(views: Views, key: KeyDepth, frame: int) -> Float[Tensor, "H W"]:
    """The key frame's surface as inverse depth in another frame; 0 where no point falls."""
    height, width = views.size
    w = key.inverse_depth
    A, b = relative(views, key.frame, frame)
    moved = torch.einsum("ij,jhw->ihw", A, pixel_grid(height, width, w.device))
    moved += w * b[:, None, None]
    z_ratio = moved[2].clamp_min(1e-6)  # z in the frame over z in the key frame
    x, y = (moved[0] / z_ratio).round_(), (moved[1] / z_ratio).round_()
    inside = (key.good > 0) & (moved[2] > 1e-6)
    inside &= (x >= 0) & (x < width) & (y >= 0) & (y < height)
    nowhere = height * width
    target = torch.where(inside, y * width + x, nowhere).long()
    found = torch.zeros(height * width + 1, device=w.device)
    found.scatter_reduce_(0, target.flatten(), (w / z_ratio).flatten(), "amax", include_self=True)
    return found[:-1].reshape(height, width)


def middle_of_seen(values: Float[Tensor, "K H W"]) -> Float[Tensor, "H W"]:
    """Upper median of the positive values at every pixel; 0 where there are none."""
    count = len(values)
    rows = list(values)
    for turn in range(count):  # Exchange sort of whole images: torch.sort takes four times as long.
        for place in range(turn % 2, count - 1, 2):
            low, high = rows[place], rows[place + 1]
            rows[place], rows[place + 1] = torch.minimum(low, high), torch.maximum(low, high)
    ordered = torch.stack(rows)
    seen = (values > 0).sum(0)
    place_of_middle = (count - seen + seen // 2).clamp(max=count - 1)
    return ordered.gather(0, place_of_middle[None])[0]


def confirmed(
    views: Views, frame: int, inverse_depth: Float[Tensor, "H W"], keys: Sequence[KeyDepth]
) -> FusedDepth:
    """The mean of a frame's depth as the key frames have it that agree with a first guess."""
    pixels = pixel_grid(*views.size, inverse_depth.device)
    total = torch.zeros_like(inverse_depth)
    count = torch.zeros_like(inverse_depth)
    for key in keys:
        A, b = relative(views, frame, key.frame)
        moved = torch.einsum("ij,jhw->ihw", A, pixels)
        moved += inverse_depth * b[:, None, None]
        z_ratio = moved[2].clamp_min(1e-6)
        x, y = moved[0] / z_ratio, moved[1] / z_ratio
        theirs = sample(key.inverse_depth, x[None], y[None])[0]
        good = sample(key.good, x[None], y[None])[0] > 0.99
        # Inverse depth in the key frame is w / z_ratio; where it is theirs instead, w scales.
        change = theirs * z_ratio / inverse_depth.clamp_min(1e-9)
        noise = TOLERANCE_PX * key.inverse_depth_per_px / theirs.clamp_min(1e-9)
        agrees = good & (moved[2] > 1e-6)
        agrees &= (change - 1).abs() < noise.clamp(TOLERANCE, MAX_TOLERANCE)
        total += torch.where(agrees, inverse_depth * change, 0)
        count += agrees
    known = (count >= CONFIRMATIONS) & (inverse_depth > 0)
    depth = torch.where(known, count / total.clamp_min(1e-9), 0)
    return FusedDepth(depth, torch.where(known, count / len(keys), 0))


def fuse(
    views: Views,
    frame: int,
    keys: Sequence[KeyDepth],
) -> FusedDepth:
    """The depth of a frame's place from the key frames around it.

    Args:
        views: cameras and size of all frames.
        frame: any frame with a measured pose.
        keys: all measured key frames in order of time.
    """
    near = keys_around(frame, keys, GUESSING_KEYS)
    guess = middle_of_seen(torch.stack([rendered(views, key, frame) for key in near]))
    if near[0].frame == frame:
        guess = torch.where(near[0].good > 0, near[0].inverse_depth, guess)
    return confirmed(views, frame, guess, keys_around(frame, keys, CONFIRMING_KEYS))
