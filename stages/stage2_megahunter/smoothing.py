"""One-Euro smoothing of finished trajectories, forward and backward, on vectors and rotations.

The filter of Casiez, Roussel and Vogel, "1 Euro Filter", CHI 2012: a low pass whose cutoff rises
with speed. Running it both ways and taking the middle cancels its delay. Rotations are filtered
along geodesics, not entry by entry.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from stages.geometry.rotations import matrix_from_rotvec, rotvec_from_matrix


@dataclass(frozen=True)
class OneEuro:
    """Parameters: cutoffs in Hz, `beta` in Hz per unit of speed.

    The original's 1.5 Hz and 0.1 flatten steps and jumps by centimetres; trajectories are already
    smooth when they come here, so only what is faster than people move is taken off.
    """

    min_cutoff_hz: float = 6.0
    beta: float = 1.0
    speed_cutoff_hz: float = 1.0


DEFAULT = OneEuro()


def _gain(cutoff_hz: np.ndarray | float, step_s: np.ndarray) -> np.ndarray:
    """Share of the new value in a first-order low pass, a step after the old one."""
    tau_s = 1.0 / (2.0 * np.pi * np.asarray(cutoff_hz))
    return 1.0 / (1.0 + tau_s / step_s)


def smooth_vectors(
    values: Float[np.ndarray, " frames *B"],
    times_s: Float[np.ndarray, " frames"],
    filter_: OneEuro = DEFAULT,
) -> Float[np.ndarray, " frames *B"]:
    """Both ways over time, each number on its own; times increase and need not be even."""
    both = _filter_vectors(_both_ways(values), _both_ways(np.diff(times_s)), filter_)
    return 0.5 * (both[:, 0] + both[::-1, 1])


def smooth_rotations(
    R: Float[np.ndarray, "T k 3 3"], times_s: Float[np.ndarray, " T"], filter_: OneEuro = DEFAULT
) -> Float[np.ndarray, "T k 3 3"]:
    """Both ways over time; the result lies halfway on the arc between the two."""
    both = _filter_rotations(_both_ways(R), _both_ways(np.diff(times_s)), filter_)
    forward, backward = both[:, 0], both[::-1, 1]
    turn = rotvec_from_matrix(np.swapaxes(forward, -1, -2) @ backward)
    return forward @ matrix_from_rotvec(0.5 * turn)


def _both_ways(values: np.ndarray) -> np.ndarray:
    """Forward and backward, side by side on axis 1."""
    return np.stack([values, values[::-1]], axis=1)


def _filter_vectors(
    values: Float[np.ndarray, "T 2 *B"], steps_s: Float[np.ndarray, "T-1 2"], filter_: OneEuro
) -> Float[np.ndarray, "T 2 *B"]:
    out = np.array(values, np.float64)
    speed = np.zeros_like(out[0]) if len(out) else out
    for t in range(1, len(out)):
        step_s = steps_s[t - 1].reshape(2, *(1,) * (values.ndim - 2))
        seen = (values[t] - values[t - 1]) / step_s
        speed = speed + _gain(filter_.speed_cutoff_hz, step_s) * (seen - speed)
        gain = _gain(filter_.min_cutoff_hz + filter_.beta * np.abs(speed), step_s)
        out[t] = out[t - 1] + gain * (values[t] - out[t - 1])
    return out


def _filter_rotations(
    R: Float[np.ndarray, "T 2 k 3 3"], steps_s: Float[np.ndarray, "T-1 2"], filter_: OneEuro
) -> Float[np.ndarray, "T 2 k 3 3"]:
    out = np.array(R, np.float64)
    if len(out) < 2:
        return out
    turns = rotvec_from_matrix(np.swapaxes(R[:-1], -1, -2) @ R[1:])
    speed = np.zeros_like(turns[0])
    for t in range(1, len(out)):
        step_s = steps_s[t - 1, :, None, None]
        speed = speed + _gain(filter_.speed_cutoff_hz, step_s) * (turns[t - 1] / step_s - speed)
        turning = np.linalg.norm(speed, axis=-1, keepdims=True)
        gain = _gain(filter_.min_cutoff_hz + filter_.beta * turning, step_s)
        left = rotvec_from_matrix(np.swapaxes(out[t - 1], -1, -2) @ R[t])
        out[t] = out[t - 1] @ matrix_from_rotvec(gain * left)
    return out
