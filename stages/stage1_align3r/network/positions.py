"""Rotary positions of tokens on a grid.

Su et al., "RoFormer" (2021), in two dimensions: the first half of every head's channels is turned
by the row, the second by the column (Weinzaepfel et al., "CroCo v2", ICCV 2023).
"""

from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

_BASE = 100.0
"""The slowest wave has nearly this length over 2 pi, in tokens (the original's RoPE100)."""


class Turns(NamedTuple):
    """How far the channels of a head are turned in every place."""

    cosine: Float[Tensor, "t c"]
    sine: Float[Tensor, "t c"]


def turns(high: int, wide: int, channels: int, device: torch.device) -> Turns:
    """Of a grid's tokens, row by row."""
    quarter = channels // 4
    steps = torch.arange(quarter, device=device, dtype=torch.float32) / quarter
    row, column = torch.meshgrid(
        torch.arange(high, device=device), torch.arange(wide, device=device), indexing="ij"
    )
    angles = torch.stack([row.flatten(), column.flatten()], dim=1)[..., None] / _BASE**steps
    # Channel k of a half turns with channel k + quarter.
    angles = torch.cat([angles, angles], dim=-1).flatten(1)
    return Turns(angles.cos(), angles.sin())


def turned(tokens: Float[Tensor, "*B t c"], by: Turns) -> Float[Tensor, "*B t c"]:
    """Queries or keys, each turned by its place."""
    quarters = tokens.unflatten(-1, (2, 2, -1))
    across = torch.stack([-quarters[..., 1, :], quarters[..., 0, :]], dim=-2).flatten(-3)
    return tokens * by.cosine + across * by.sine
