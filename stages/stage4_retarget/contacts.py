"""From noisy per-frame contact flags to the stretches in which a foot stands still.

A flag alone does not say that a foot is planted: networks flicker, miss the ends of stances and
flag feet that fly past a surface. Each foot is taken to be either planted or flying, and to change
rarely; its flag, its speed and its height above the ground speak for the one or the other, and the
most likely course over the whole clip is taken (Viterbi's algorithm on two states). Where flags
are unknown, motion alone decides. These cleaned contacts are what is written.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int

# Evidence is worth this much per frame at this rate; frames of faster clips say less each.
REFERENCE_FPS = 30.0
# Share of flags that are taken to be wrong.
FLAG_ERROR = 0.15
# Speed of a planted foot as estimates see it (half normal), and mean speed of a flying one, m/s.
PLANTED_M_S = 0.2
FLYING_M_S = 1.0
# Distance of a planted foot from its usual height over the ground, and mean one of a flying, m.
PLANTED_M = 0.03
FLYING_M = 0.12
# Height counts for less than it could: meshes and people disagree for whole stretches.
HEIGHT_SHARE = 0.3
# No single frame's speed or height says more than this (log odds).
MOST_AGAINST, MOST_FOR = -6.0, 3.0
# Log odds that a foot changes its state from one frame to the next.
CHANGE = 3.0
# Shorter stretches are noise, s.
SHORTEST_STANCE_S = 0.09
# The toe-base joint's height above the sole where contacts do not tell: an adult's, m.
USUAL_CLEARANCE_M = 0.025
# A shin of a foot that stands rises by this share of its length; in a deep lunge it is over 0.5.
LEAST_RISE = 0.3
KNEES, ANKLES = (4, 5), (7, 8)  # SMPL-45


class Flags(NamedTuple):
    """Per-frame contact flags of the left and right foot; `known` is False where none was made."""

    touching: Bool[np.ndarray, "T 2"]
    known: Bool[np.ndarray, " T"]


def planted(
    flags: Flags,
    toes: Float[np.ndarray, "T 2 3"],
    heels: Float[np.ndarray, "T 2 3"],
    ground_z: Float[np.ndarray, "T 2"],
    times_s: Float[np.ndarray, " T"],
) -> Bool[np.ndarray, "T 2"]:
    """Frames in which each foot stands still.

    `toes` are the person's toe-base joints, `heels` points on the heels (world, m), `ground_z` the
    surface under the toes (NaN where there is none).
    """
    speed = np.maximum(speeds(toes, times_s), speeds(heels, times_s))
    height = toes[..., 2] - ground_z
    usual = clearance_m(height, flags.touching & flags.known[:, None])
    evidence = (
        _flag_odds(flags)
        + _odds(speed, PLANTED_M_S, FLYING_M_S)
        + HEIGHT_SHARE * _odds(np.abs(height - usual), PLANTED_M, FLYING_M)
    )
    step_s = np.median(np.diff(times_s)) if len(times_s) > 1 else 1 / REFERENCE_FPS
    result = np.zeros(flags.touching.shape, bool)
    for foot in range(2):
        course = likeliest_course(evidence[:, foot] * step_s * REFERENCE_FPS, CHANGE)
        for start, end in stretches(course):
            if times_s[end - 1] - times_s[start] >= SHORTEST_STANCE_S:
                result[start:end, foot] = True
    return result


def shins_up(joints: Float[np.ndarray, "T 45 3"]) -> Bool[np.ndarray, "T 2"]:
    """Whether the knee of each leg is well above its ankle: the sole of no other leg stands.

    Feet of people who lie or kneel touch the ground with their heels, sides or backs.
    """
    shin = joints[:, KNEES].astype(float) - joints[:, ANKLES]
    return shin[..., 2] >= LEAST_RISE * np.linalg.norm(shin, axis=-1)


def clearance_m(heights: Float[np.ndarray, "T 2"], standing: Bool[np.ndarray, "T 2"]) -> float:
    """How far the toe-base joint is above the ground when planted (m), within what feet allow."""
    seen = heights[standing & np.isfinite(heights)]
    return float(np.clip(np.median(seen), 0.0, 0.08)) if len(seen) else USUAL_CLEARANCE_M


def likeliest_course(odds: Float[np.ndarray, " T"], change: float) -> Bool[np.ndarray, " T"]:
    """The likeliest sequence of two states: `odds` are log odds of True, `change` of no change."""
    score, came_from = np.zeros((len(odds), 2)), np.zeros((len(odds), 2), int)
    score[0] = 0.0, odds[0]
    cost = np.array([[0.0, change], [change, 0.0]])
    for t in range(1, len(odds)):
        options = score[t - 1] - cost
        came_from[t] = options.argmax(axis=1)
        score[t] = options.max(axis=1) + np.array([0.0, odds[t]])
    course = np.zeros(len(odds), int)
    course[-1] = score[-1].argmax()
    for t in range(len(odds) - 1, 0, -1):
        course[t - 1] = came_from[t, course[t]]
    return course.astype(bool)


def _flag_odds(flags: Flags) -> Float[np.ndarray, "T 2"]:
    weight = np.log((1 - FLAG_ERROR) / FLAG_ERROR)
    return np.where(flags.known[:, None], np.where(flags.touching, weight, -weight), 0.0)


def _odds(values: np.ndarray, planted_scale: float, flying_mean: float) -> np.ndarray:
    """Log odds of planted: half-normal of a scale over exponential of a mean; none for NaN."""
    still = -0.5 * (values / planted_scale) ** 2 - np.log(planted_scale * np.sqrt(np.pi / 2))
    moving = -values / flying_mean - np.log(flying_mean)
    return np.nan_to_num(np.clip(still - moving, MOST_AGAINST, MOST_FOR), nan=0.0)


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
