"""Joins the key frames' depths into a depth for any frame, and keeps only what several confirm."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from stages.stage1_sfm.views import Views, pixel_grid, relative, sample

TOLERANCE = 0.02
"""Largest relative difference of depths that confirm each other."""
CONFIRMATIONS = 2
"""Key frames that must agree on a depth."""
NEAR_KEYS = (0, -1, 1, -2, 2, -4, 4, -7, 7)
"""Key frames that are asked, counted from the nearest in time: near ones see the same places,
far ones what a person hides meanwhile."""


@dataclass(frozen=True)
class KeyDepth:
    """The measured depth of a key frame."""

    frame: int
    inverse_depth: Float[Tensor, "H W"]
    good: Float[Tensor, "H W"]
    """1 where a good match was found on something that stands still, else 0."""


@dataclass(frozen=True)
class FusedDepth:
    """Depth of one frame's place, behind people too; 0 where unknown."""

    depth: Float[Tensor, "H W"]
    agreement: Float[Tensor, "H W"]
    """Share of the asked key frames that confirm the depth; 0 where unknown."""


def keys_for(frame: int, keys: Sequence[KeyDepth]) -> list[KeyDepth]:
    """The key frames to ask for a frame, from a list in order of time."""
    nearest = min(range(len(keys)), key=lambda place: abs(keys[place].frame - frame))
    places = [nearest + step for step in NEAR_KEYS]
    return [keys[place] for place in places if 0 <= place < len(keys)]


def rendered(views: Views, key: KeyDepth, frame: int) -> Float[Tensor, "H W"]:
    """The key frame's surface as inverse depth in another frame; 0 where no point falls."""
    height, width = views.size
    good = key.good > 0
    pixels = pixel_grid(height, width, key.good.device)[:, good]
    w = key.inverse_depth[good]
    A, b = relative(views, key.frame, frame)
    moved = A @ pixels + b[:, None] * w  # Times w it is z over z: moved[2] = z_frame / z_key.
    x = (moved[0] / moved[2]).round().long()
    y = (moved[1] / moved[2]).round().long()
    inside = (moved[2] > 1e-6) & (x >= 0) & (x < width) & (y >= 0) & (y < height)
    found = torch.zeros(height * width, device=w.device)
    found.scatter_reduce_(
        0, (y * width + x)[inside], (w / moved[2])[inside], "amax", include_self=True
    )
    return found.reshape(height, width)


def middle_of_seen(values: Float[Tensor, "K H W"]) -> Float[Tensor, "H W"]:
    """Upper median of the positive values at every pixel; 0 where there are none."""
    ordered = values.sort(0).values
    seen = (values > 0).sum(0)
    place = len(values) - seen + seen // 2
    return ordered.gather(0, place.clamp(max=len(values) - 1)[None])[0]


def confirmed(
    views: Views, frame: int, inverse_depth: Float[Tensor, "H W"], keys: Sequence[KeyDepth]
) -> FusedDepth:
    """The mean of a frame's depth as the key frames have it that agree with a first guess."""
    pixels = pixel_grid(*views.size, inverse_depth.device)
    total = torch.zeros_like(inverse_depth)
    count = torch.zeros_like(inverse_depth)
    for key in keys:
        A, b = relative(views, frame, key.frame)
        moved = torch.einsum("ij,jhw->ihw", A, pixels) + inverse_depth * b[:, None, None]
        z_ratio = moved[2].clamp_min(1e-6)
        x, y = moved[0] / z_ratio, moved[1] / z_ratio
        theirs = sample(key.inverse_depth, x[None], y[None])[0]
        good = sample(key.good, x[None], y[None])[0] > 0.99
        # Inverse depth in the key frame is w / z_ratio; where it is theirs instead, w scales.
        change = theirs * z_ratio / inverse_depth.clamp_min(1e-9)
        agrees = good & (moved[2] > 1e-6) & ((change - 1).abs() < TOLERANCE)
        total += torch.where(agrees, inverse_depth * change, 0)
        count += agrees
    known = (count >= min(CONFIRMATIONS, len(keys))) & (inverse_depth > 0)
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
    asked = keys_for(frame, keys)
    guesses = torch.stack([rendered(views, key, frame) for key in asked])
    guess = middle_of_seen(guesses)
    own = asked[0]
    if own.frame == frame:
        guess = torch.where(own.good > 0, own.inverse_depth, guess)
    return confirmed(views, frame, guess, asked)
