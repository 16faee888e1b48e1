"""Which feet that are said to stand can stand: one that passes by does not.

Contact is seen in one picture at a time, so left and right are mixed up now and then. Believed, a
swinging foot would pull its person along; the first path of the people is rough, but shows that.
"""

import numpy as np
from jaxtyping import Bool, Float
from scipy.signal import savgol_filter

FRAMES = 7
"""A speed is that of the line through so many frames: people's first distances are noisy."""
FASTEST_M = 0.03
"""A frame, for a foot that may stand; a foot in mid-swing makes 0.1 m."""


def standing_feet(
    planted: Bool[np.ndarray, "T 2"], feet_m: Float[np.ndarray, "T 2 3"]
) -> Bool[np.ndarray, "T 2"]:
    """The planted feet that are slow, of left and right feet somewhere in the world."""
    frames = min(FRAMES, len(feet_m) - 1 + len(feet_m) % 2)
    if frames < 3:
        return planted
    step_m = savgol_filter(feet_m, frames, polyorder=1, deriv=1, axis=0)
    return planted & (np.linalg.norm(step_m, axis=-1) <= FASTEST_M)
