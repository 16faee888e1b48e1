"""From noisy per-frame contact flags to the stretches in which a foot is in contact.

A flag alone does not say so: networks flicker, miss the ends of contacts and flag feet that swing
past a surface. Each foot is taken to be either in contact, which means that it stays where it is,
or in swing, and to change rarely; its flag, its speed and its height above the ground speak for
the one or the other, and the most likely course over the whole clip is taken (Viterbi's algorithm
on two states). Where flags are unknown, motion alone decides. These cleaned contacts are what is
written.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int

from stages.geometry.intervals import runs_of_true

# Evidence is worth this much per frame at this rate; frames of faster clips say less each.
REFERENCE_FPS = 30.0
# Share of flags that are taken to be wrong.
FLAG_ERROR = 0.15
# Speed of a foot in contact as estimates see it (half normal), and mean speed in swing, m/s.
CONTACT_M_S = 0.2
SWING_M_S = 1.0
# Distance of a foot in contact from its usual height over the ground, and mean one in swing, m.
CONTACT_M = 0.03
SWING_M = 0.12
# Height counts for less than it could: meshes and people disagree for whole stretches.
HEIGHT_SHARE = 0.3
# No single frame's speed or height says more than this (log odds).
MOST_AGAINST, MOST_FOR = -6.0, 3.0
# Log odds that a foot changes its state from one frame to the next.
CHANGE = 3.0
# Shorter stretches are noise, s.
SHORTEST_CONTACT_S = 0.09
# The toe-base joint's height above the sole where contacts do not tell: an adult's, m.
USUAL_CLEARANCE_M = 0.025
# A foot in contact this far above the surface rests on something else, m, that the mesh lacks.
FAR_M = 0.2
# The shin over a foot in contact rises by this share of its length; in a deep lunge it is over 0.5.
LEAST_RISE = 0.3
KNEES, ANKLES = (4, 5), (7, 8)  # SMPL-45


class Flags(NamedTuple):
    """Per-frame contact flags of the left and right foot; `known` is False where none was made."""

    touching: Bool[np.ndarray, "T 2"]
    known: Bool[np.ndarray, " T"]


def foot_contacts(
    flags: Flags,
    toes: Float[np.ndarray, "T 2 3"],
    heels: Float[np.ndarray, "T 2 3"],
    ground_z: Float[np.ndarray, "T 2"],
    times_s: Float[np.ndarray, " T"],
) -> Bool[np.ndarray, "T 2"]:
    """Frames in which each foot is in contact.

    `toes` are the person's toe-base joints, `heels` points on the heels (world, m), `ground_z` the
    surface under the toes (NaN where there is none).
    """
    speed = np.maximum(speeds(toes, times_s), speeds(heels, times_s))
    height = toes[..., 2] - ground_z
    usual = clearance_m(height, flags.touching & flags.known[:, None])
    evidence = (
        _flag_odds(flags)
        + _odds(speed, CONTACT_M_S, SWING_M_S)
        + HEIGHT_SHARE * _odds(np.abs(height - usual), CONTACT_M, SWING_M)
    )
    step_s = np.median(np.diff(times_s)) if len(times_s) > 1 else 1 / REFERENCE_FPS
    result = np.zeros(flags.touching.shape, bool)
    for foot in range(2):
        course = likeliest_course(evidence[:, foot] * step_s * REFERENCE_FPS, CHANGE)
        for start, end in runs_of_true(course):
            if times_s[end - 1] - times_s[start] >= SHORTEST_CONTACT_S:
                result[start:end, foot] = True
    return result


def shins_up(joints: Float[np.ndarray, "T 45 3"]) -> Bool[np.ndarray, "T 2"]:
    """Whether the knee of each leg is well above its ankle: the soles of other legs face no ground.

    Feet of people who lie or kneel touch the ground with their heels, sides or backs.
    """
    shin = joints[:, KNEES].astype(float) - joints[:, ANKLES]
    return shin[..., 2] >= LEAST_RISE * np.linalg.norm(shin, axis=-1)


def clearance_m(heights: Float[np.ndarray, "T 2"], contact: Bool[np.ndarray, "T 2"]) -> float:
    """How far the toe-base joint is above the ground in contact (m), within what feet allow."""
    seen = heights[contact & (heights < FAR_M)]
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


def _odds(values: np.ndarray, contact_scale: float, swing_mean: float) -> np.ndarray:
    """Log odds of contact: half-normal of a scale over exponential of a mean; none for NaN."""
    still = -0.5 * (values / contact_scale) ** 2 - np.log(contact_scale * np.sqrt(np.pi / 2))
    moving = -values / swing_mean - np.log(swing_mean)
    return np.nan_to_num(np.clip(still - moving, MOST_AGAINST, MOST_FOR), nan=0.0)


def speeds(
    points: Float[np.ndarray, "T N 3"], times_s: Float[np.ndarray, " T"]
) -> Float[np.ndarray, "T N"]:
    """Speed at each frame from the frames around it (m/s)."""
    if len(points) < 2:
        return np.zeros(points.shape[:2])
    return np.linalg.norm(np.gradient(points, times_s, axis=0), axis=-1)


def contact_numbers(mask: Bool[np.ndarray, "T 2"]) -> Int[np.ndarray, "T 2"]:
    """Number of the contact that each frame belongs to, from 1 for each foot; 0 in swing."""
    numbers = np.zeros(mask.shape, np.int32)
    for foot in range(2):
        for number, (start, end) in enumerate(runs_of_true(mask[:, foot]), start=1):
            numbers[start:end, foot] = number
    return numbers
