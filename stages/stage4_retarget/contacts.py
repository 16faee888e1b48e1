"""From noisy per-frame contact flags to the stretches in which a foot stands still.

A flag alone does not say that a foot is planted: networks flicker, and flag feet that fly past a
surface. A foot counts as planted where most known flags around a frame say contact, the person's
foot is slow and near the ground, for long enough. These cleaned flags are what is written.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int

# Half a window of the vote, s: shorter than the shortest step of a run.
VOTE_S = 0.1
# A foot faster than this is not standing, m/s; people's estimated standing feet drift by less.
FASTEST_PLANTED_M_S = 0.7
# A foot joint higher than this above the surface is not standing on it, m.
HIGHEST_PLANTED_M = 0.2
# Shorter stretches are noise, s.
SHORTEST_STANCE_S = 0.09


class Flags(NamedTuple):
    """Per-frame contact flags of the left and right foot; `known` is False where none was made."""

    touching: Bool[np.ndarray, "T 2"]
    known: Bool[np.ndarray, " T"]


def voted(flags: Flags, times_s: Float[np.ndarray, " T"]) -> Bool[np.ndarray, "T 2"]:
    """Majority of the known flags within VOTE_S of every frame; False where none is known."""
    near = np.abs(times_s[:, None] - times_s[None]) <= VOTE_S + 1e-6
    votes = (near & flags.known[None]).astype(float)
    yes = votes @ flags.touching
    return yes > votes.sum(axis=1, keepdims=True) / 2


def planted(
    flags: Flags,
    feet: Float[np.ndarray, "T 2 3"],
    ground_z: Float[np.ndarray, "T 2"],
    times_s: Float[np.ndarray, " T"],
) -> Bool[np.ndarray, "T 2"]:
    """Frames in which each foot stands still.

    `feet` are the person's toe-base joints (world, m), `ground_z` the surface under them (NaN
    where there is none).
    """
    slow = speeds(feet, times_s) < FASTEST_PLANTED_M_S
    high = feet[..., 2] - ground_z > HIGHEST_PLANTED_M
    still = voted(flags, times_s) & slow & ~high
    result = np.zeros_like(still)
    for foot in range(2):
        for start, end in stretches(still[:, foot]):
            if times_s[end - 1] - times_s[start] >= SHORTEST_STANCE_S:
                result[start:end, foot] = True
    return result


def speeds(
    points: Float[np.ndarray, "T N 3"], times_s: Float[np.ndarray, " T"]
) -> Float[np.ndarray, "T N"]:
    """Speed at each frame from the frames around it (m/s)."""
    if len(points) < 2:
        return np.zeros(points.shape[:2])
    return np.linalg.norm(np.gradient(points, times_s, axis=0), axis=-1)


def stretches(mask: Bool[np.ndarray, " T"]) -> list[tuple[int, int]]:
    """Start and end (exclusive) of every run of True."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], mask.astype(np.int8), [0]])))
    return [(int(start), int(end)) for start, end in zip(edges[::2], edges[1::2], strict=True)]


def stance_numbers(mask: Bool[np.ndarray, "T 2"]) -> Int[np.ndarray, "T 2"]:
    """Number of the stance that each frame belongs to, from 1 for each foot; 0 while it flies."""
    numbers = np.zeros(mask.shape, np.int32)
    for foot in range(2):
        for number, (start, end) in enumerate(stretches(mask[:, foot]), start=1):
            numbers[start:end, foot] = number
    return numbers
