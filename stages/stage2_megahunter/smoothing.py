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


def _gain(cutoff_hz: np.ndarray | float, rate_hz: float) -> np.ndarray:
    """Share of the new value in a first-order low pass."""
    tau = 1.0 / (2.0 * np.pi * np.asarray(cutoff_hz))
    return 1.0 / (1.0 + tau * rate_hz)


def smooth_vectors(
    values: Float[np.ndarray, " frames *B"], rate_hz: float, filter_: OneEuro = DEFAULT
) -> Float[np.ndarray, " frames *B"]:
    """Both ways over time, each number on its own."""
    both = _filter_vectors(np.stack([values, values[::-1]], axis=1), rate_hz, filter_)
    return 0.5 * (both[:, 0] + both[::-1, 1])


def smooth_rotations(
    R: Float[np.ndarray, "T k 3 3"], rate_hz: float, filter_: OneEuro = DEFAULT
) -> Float[np.ndarray, "T k 3 3"]:
    """Both ways over time; the result lies halfway on the arc between the two."""
    both = _filter_rotations(np.stack([R, R[::-1]], axis=1), rate_hz, filter_)
    forward, backward = both[:, 0], both[::-1, 1]
    turn = rotvec_from_matrix(np.swapaxes(forward, -1, -2) @ backward)
    return forward @ matrix_from_rotvec(0.5 * turn)


def _filter_vectors(values: np.ndarray, rate_hz: float, filter_: OneEuro) -> np.ndarray:
    out = np.array(values, np.float64)
    speed = np.zeros_like(out[0]) if len(out) else out
    for t in range(1, len(out)):
        seen = (values[t] - values[t - 1]) * rate_hz
        speed = speed + _gain(filter_.speed_cutoff_hz, rate_hz) * (seen - speed)
        gain = _gain(filter_.min_cutoff_hz + filter_.beta * np.abs(speed), rate_hz)
        out[t] = out[t - 1] + gain * (values[t] - out[t - 1])
    return out


def _filter_rotations(R: np.ndarray, rate_hz: float, filter_: OneEuro) -> np.ndarray:
    out = np.array(R, np.float64)
    if len(out) < 2:
        return out
    steps = rotvec_from_matrix(np.swapaxes(R[:-1], -1, -2) @ R[1:]) * rate_hz
    speed = np.zeros_like(steps[0])
    for t in range(1, len(out)):
        speed = speed + _gain(filter_.speed_cutoff_hz, rate_hz) * (steps[t - 1] - speed)
        turning = np.linalg.norm(speed, axis=-1, keepdims=True)
        gain = _gain(filter_.min_cutoff_hz + filter_.beta * turning, rate_hz)
        left = rotvec_from_matrix(np.swapaxes(out[t - 1], -1, -2) @ R[t])
        out[t] = out[t - 1] @ matrix_from_rotvec(gain * left)
    return out
