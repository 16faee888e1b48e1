"""Which feet stand: not one that passes by, and one that stood and has not moved since.

Contact is seen in one picture at a time, so left and right are mixed up now and then. Believed, a
swinging foot would pull its person along; the first path of the people is rough, but shows that.
Missed at either end of a clip, a standing foot would leave its person to drift.
"""

import numpy as np
from jaxtyping import Bool, Float
from scipy.ndimage import binary_propagation

FRAMES = 7
"""A speed is that of the line through so many frames: people's first distances are noisy."""
FASTEST_M = 0.03
"""A frame, for a foot that may stand; a foot in mid-swing makes 0.1 m."""
STILL_M = 0.01
"""A frame, for a foot that stands on, whatever is said; heels rise at 0.02 m."""
ALONG_TIME = np.array([[0, 1, 0]] * 3, bool)
"""Neighbours of a foot in a frame: itself in the frames before and after."""


def standing_feet(
    planted: Bool[np.ndarray, "T 2"], feet_m: Float[np.ndarray, "T 2 3"]
) -> Bool[np.ndarray, "T 2"]:
    """The feet that stand, of left and right feet somewhere in the world.

    They are the planted ones that are slow, and from these on, forwards and backwards in time,
    those that stay still.
    """
    frames = min(FRAMES, len(feet_m) - 1 + len(feet_m) % 2)
    if frames < 3:
        return planted
    speed_m = np.linalg.norm(_steps(feet_m, frames), axis=-1)
    sure = planted & (speed_m <= FASTEST_M)
    return binary_propagation(sure, ALONG_TIME, mask=sure | (speed_m <= STILL_M))


def _steps(places_m: Float[np.ndarray, "T 2 3"], frames: int) -> Float[np.ndarray, "T 2 3"]:
    """Slope of the line through so many frames around each; at the ends through the outermost."""
    T, offsets = len(places_m), np.arange(frames) - frames // 2
    around = np.lib.stride_tricks.sliding_window_view(places_m, frames, axis=0)
    slopes = around @ (offsets / (offsets**2).sum())
    return slopes[np.clip(np.arange(T) - frames // 2, 0, T - frames)]
