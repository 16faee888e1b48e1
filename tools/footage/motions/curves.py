"""Smooth curves in time: quintic pieces, bumps, filters. Everything is vectorised over samples."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from scipy.ndimage import gaussian_filter1d, minimum_filter1d


class Knot(NamedTuple):
    """State of a curve at one end of a piece: position, velocity, acceleration (same shape)."""

    x: np.ndarray | float
    v: np.ndarray | float = 0.0
    a: np.ndarray | float = 0.0


def quintic(
    t_s: Float[np.ndarray, " n"], start_s: float, end_s: float, start: Knot, end: Knot
) -> Float[np.ndarray, "n ..."]:
    """The polynomial of degree five that meets both knots; held before and after them."""
    span = end_s - start_s
    x0, x1 = np.asarray(start.x, np.float64), np.asarray(end.x, np.float64)
    v0, v1 = np.asarray(start.v) * span, np.asarray(end.v) * span
    a0, a1 = np.asarray(start.a) * span**2, np.asarray(end.a) * span**2
    s = np.clip((t_s - start_s) / span, 0.0, 1.0).reshape((-1,) + (1,) * x0.ndim)
    rest = x1 - x0 - v0 - a0 / 2
    slope = v1 - v0 - a0
    bend = a1 - a0
    c3 = 10 * rest - 4 * slope + bend / 2
    c4 = -15 * rest + 7 * slope - bend
    c5 = 6 * rest - 3 * slope + bend / 2
    return x0 + s * (v0 + s * (a0 / 2 + s * (c3 + s * (c4 + s * c5))))


def ease(s: Float[np.ndarray, "*n"]) -> Float[np.ndarray, "*n"]:
    """From 0 to 1 with no velocity and no acceleration at both ends (minimum jerk)."""
    s = np.clip(s, 0.0, 1.0)
    return s**3 * (10 + s * (6 * s - 15))


def bump(s: Float[np.ndarray, "*n"], rise: int, fall: int) -> Float[np.ndarray, "*n"]:
    """Zero at 0 and 1, one at `rise / (rise + fall)`; smooth ends from exponents of 3."""
    s = np.clip(s, 0.0, 1.0)
    peak = rise / (rise + fall)
    return (s / peak) ** rise * ((1 - s) / (1 - peak)) ** fall


def plateau(
    t_s: Float[np.ndarray, " n"], start_s: float, rise_s: float, hold_s: float, fall_s: float
) -> Float[np.ndarray, " n"]:
    """From 0 up to 1, held, and back to 0."""
    up = ease((t_s - start_s) / rise_s)
    if not np.isfinite(hold_s):
        return up
    return up * (1 - ease((t_s - start_s - rise_s - hold_s) / fall_s))


def smooth(
    values: Float[np.ndarray, "n ..."], sigma_s: float, rate_hz: float
) -> Float[np.ndarray, "n ..."]:
    """Gaussian filter along time; the ends are held."""
    return gaussian_filter1d(values, sigma_s * rate_hz, axis=0, mode="nearest", truncate=3.0)


def smooth_below(
    bound: Float[np.ndarray, " n"], sigma_s: float, rate_hz: float
) -> Float[np.ndarray, " n"]:
    """A smooth curve that stays under `bound`: means of the minima within the filter's reach."""
    reach = int(3.0 * sigma_s * rate_hz + 0.5)
    lowest = minimum_filter1d(bound, 2 * reach + 1, mode="nearest")
    return gaussian_filter1d(lowest, sigma_s * rate_hz, mode="nearest", truncate=3.0)
