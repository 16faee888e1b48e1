"""Edges of the frame graph: which are new, which come first, which make room."""

from collections.abc import Iterable

import numpy as np
import torch
from jaxtyping import Bool, Int

Pairs = Int[np.ndarray, "n 2"]
"""Source and target frame of each edge."""

NONE = np.zeros((0, 2), np.int64)


def neighbourhood(first: int, end: int, radius: int) -> Pairs:
    """All ordered pairs of frames from `first` to before `end` that are 1 to `radius` apart."""
    frames = np.arange(first, end)
    pairs = np.stack(np.meshgrid(frames, frames, indexing="ij"), axis=-1).reshape(-1, 2)
    apart = np.abs(pairs[:, 0] - pairs[:, 1])
    return pairs[(apart > 0) & (apart <= radius)]


def without(pairs: Pairs, known: Pairs) -> Pairs:
    """The pairs that are not among others; their order stays."""
    there = {(int(i), int(j)) for i, j in known}
    return pairs[np.array([(int(i), int(j)) not in there for i, j in pairs], dtype=bool)]


def making_room(age: Int[np.ndarray, " n"], newcomers: int, most: int) -> Bool[np.ndarray, " n"]:
    """Which edges go when others come and `most` may stay; none if all have room.

    An edge goes by the number of the edge that has its place in the order of age, not by its own
    age; equal ages come as PyTorch sorts them. So the original does, and its graphs are kept.
    """
    if len(age) + newcomers <= most:
        return np.zeros(len(age), dtype=bool)
    return torch.argsort(torch.from_numpy(age)).numpy() >= most - newcomers


def near(pair: tuple[int, int], reach: int) -> Iterable[tuple[int, int]]:
    """Pairs that say much the same as one: at most `reach` steps away, fewer for near frames."""
    i, j = pair
    steps = max(min(abs(i - j) - 2, reach), 0)
    for di in range(-steps, steps + 1):
        left = steps - abs(di)
        for dj in range(-left, left + 1):
            yield i + di, j + dj
