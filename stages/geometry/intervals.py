"""Stretches of frames: runs of True, and the frames within a time of each."""

import numpy as np
from jaxtyping import Bool, Float, Int

JITTER_S = 0.005
"""Times of frames are taken to be so exact: 29.97 frames a second, or a phone's uneven clock."""


def runs_of_true(mask: Bool[np.ndarray, " T"]) -> list[tuple[int, int]]:
    """Start and end (exclusive) of every run of True."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], np.asarray(mask, np.int8), [0]])))
    return [(int(start), int(end)) for start, end in edges.reshape(-1, 2)]


def frames_within(
    times_s: Float[np.ndarray, " T"], centres_s: Float[np.ndarray, " N"], reach_s: float
) -> Int[np.ndarray, "N 2"]:
    """Start and end (exclusive) of the frames that are at most so far from each centre (s).

    Args:
        times_s: of the frames, increasing.
    """
    reach_s = reach_s + JITTER_S
    starts = np.searchsorted(times_s, centres_s - reach_s, side="left")
    ends = np.searchsorted(times_s, centres_s + reach_s, side="right")
    return np.stack([starts, ends], axis=1)
