"""Errors of measurements, whose neighbouring frames have much in common."""

import numpy as np
from jaxtyping import Float


def correlated(
    rng: np.random.Generator, frames: int, shape: tuple[int, ...], keep: float = 0.85
) -> Float[np.ndarray, "T ..."]:
    """Noise of unit variance that changes slowly: `keep` of it stays from frame to frame."""
    values = rng.normal(size=(frames, *shape))
    for t in range(1, frames):
        values[t] = keep * values[t - 1] + np.sqrt(1 - keep**2) * values[t]
    return values
