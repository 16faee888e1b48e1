"""Which pictures are paired: `swinstride-5-noncyclic`, both ways."""

import torch
from jaxtyping import Int
from torch import Tensor

OFFSETS = (1, 3, 5, 7, 9)
"""Frames from a picture to those that it is paired with: a window of five, every second frame."""


def pair_count(frames: int) -> int:
    """How many ordered pairs there are of so many frames."""
    return 2 * sum(max(frames - offset, 0) for offset in OFFSETS)


def pair_graph(frames: int) -> Int[Tensor, "e 2"]:
    """Ordered pairs, each with its reverse; sorted.

    Raises:
        ValueError: there are fewer than two frames.
    """
    if frames < 2:
        raise ValueError(f"{frames} frame: two or more make a pair")
    forth = [(i, i + k) for i in range(frames) for k in OFFSETS if i + k < frames]
    return torch.tensor(sorted([*forth, *((j, i) for i, j in forth)]))
