"""Which of some people followed are which of some people found, by place or by clothes."""

import numpy as np
from jaxtyping import Bool, Float
from scipy.optimize import linear_sum_assignment

from stages.tracking.appearance import ALIKE

SAME = 0.5
"""Masks that share more than this of the smaller one are of one body."""
PLACE_COUNTS = 0.3
"""Against all of the colours, after people could be mistaken for one another."""


def contained(a: Bool[np.ndarray, "H W"], b: Bool[np.ndarray, "H W"]) -> float:
    """Share of the smaller mask that the other one covers; 0 if either is empty."""
    smaller = min(np.count_nonzero(a), np.count_nonzero(b))
    return np.count_nonzero(a & b) / smaller if smaller else 0.0


def by_place(
    shared: Float[np.ndarray, "P C"], alike: Float[np.ndarray, "P C"]
) -> Float[np.ndarray, "P C"]:
    """How well pairs fit that must be in one place; their colours decide between several."""
    return np.where(shared > SAME, shared * (alike + 1e-3), 0.0)


def by_clothes(
    shared: Float[np.ndarray, "P C"], alike: Float[np.ndarray, "P C"]
) -> Float[np.ndarray, "P C"]:
    """How well pairs fit that must be dressed alike; their places decide between several."""
    return np.where(alike >= ALIKE, alike + PLACE_COUNTS * shared, 0.0)


def best_pairs(fit: Float[np.ndarray, "P C"]) -> dict[int, int]:
    """Columns by rows: the pairs that fit best in all. What does not fit, 0 or less, is no pair."""
    rows, columns = linear_sum_assignment(-fit)
    return {
        int(row): int(column)
        for row, column in zip(rows, columns, strict=True)
        if fit[row, column] > 0
    }
