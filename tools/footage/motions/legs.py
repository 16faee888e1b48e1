"""Two-bone legs: the knee is a hinge about the body's x axis, solved in closed form."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from tools.footage.motions.rotations import about_x, transpose

LEAST_KNEE_RAD = 0.01
LARGEST_KNEE_RAD = 2.75


def solve_leg(
    hip_m: Float[np.ndarray, "n 3"],
    ankle_m: Float[np.ndarray, "n 3"],
    left: Float[np.ndarray, "n 3"],
    thigh_m: Float[np.ndarray, " 3"],
    shin_m: Float[np.ndarray, " 3"],
) -> tuple[Float[np.ndarray, "n 3 3"], Float[np.ndarray, "n 3 3"]]:
    """World rotation of the thigh and local rotation of the knee that bring the ankle there.

    `thigh_m` and `shin_m` are the bones at rest (hip to knee, knee to ankle); `left` is the
    direction that the knee's axis should come closest to. A target out of reach is aimed at.
    """
    way = ankle_m - hip_m
    distance = np.linalg.norm(way, axis=1)
    knee = knee_angle(distance, thigh_m, shin_m)
    R_knee = about_x(knee)
    chord = thigh_m + R_knee @ shin_m
    R_thigh = _frame(way, left) @ transpose(_frame(chord, np.array([1.0, 0.0, 0.0])))
    return R_thigh, R_knee


def knee_angle(
    distance_m: Float[np.ndarray, " n"],
    thigh_m: Float[np.ndarray, " 3"],
    shin_m: Float[np.ndarray, " 3"],
) -> Float[np.ndarray, " n"]:
    """Flexion at which hip and ankle are `distance_m` apart; bones may have any offsets."""
    along = thigh_m[1] * shin_m[1] + thigh_m[2] * shin_m[2]
    across = thigh_m[2] * shin_m[1] - thigh_m[1] * shin_m[2]
    size, phase = np.hypot(along, across), np.arctan2(across, along)
    fixed = thigh_m @ thigh_m + shin_m @ shin_m + 2 * thigh_m[0] * shin_m[0]
    cos = (distance_m**2 - fixed) / (2 * size)
    return np.clip(phase + np.arccos(np.clip(cos, -1.0, 1.0)), LEAST_KNEE_RAD, LARGEST_KNEE_RAD)


def straight_leg_m(thigh_m: Float[np.ndarray, " 3"], shin_m: Float[np.ndarray, " 3"]) -> float:
    """Distance from hip to ankle of a leg with an unbent knee."""
    return float(np.linalg.norm(thigh_m + shin_m))


def _frame(down: np.ndarray, left: np.ndarray) -> np.ndarray:
    """Right-handed axes: along `down`, and along `left` made square to it."""
    u = down / np.linalg.norm(down, axis=-1, keepdims=True)
    x = left - np.sum(left * u, axis=-1, keepdims=True) * u
    x /= np.linalg.norm(x, axis=-1, keepdims=True)
    return np.stack([x, u, np.cross(x, u)], axis=-1)
