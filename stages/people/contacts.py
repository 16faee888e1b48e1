"""Which contacts hold: not that of a foot in swing, and that of one which has not moved since.
Hands, knees and the seat are judged alike.

Contact is seen in one picture at a time, so left and right are mixed up now and then. Believed, a
swinging foot would pull its person along; the first path of the people is rough, but shows that.
Missed at either end of a clip, a foot in contact would leave its person to drift.
"""

import numpy as np
from jaxtyping import Bool, Float
from scipy.ndimage import binary_propagation

from stages.geometry.intervals import frames_within

REACH_S = 0.1
"""A velocity is the slope of the line through the frames so near: people's first distances are
noisy."""
FASTEST_M_S = 0.9
"""For a foot that may be in contact; one in mid-swing makes 3 m/s."""
STILL_M_S = 0.3
"""For a foot that stays in contact, whatever is said; heels rise at 0.6 m/s."""
SETTLING_S = 0.5
"""Other parts are still without contact too. So long may they shift about before they rest where
they touch, and before they leave it."""
ALONG_TIME = np.array([[0, 1, 0]] * 3, bool)
"""Neighbours of a part in a frame: itself in the frames before and after."""


def filter_contacts(
    contacts: Bool[np.ndarray, "T P"],
    places_m: Float[np.ndarray, "T P 3"],
    times_s: Float[np.ndarray, " T"],
    longest_s: float = np.inf,
) -> Bool[np.ndarray, "T P"]:
    """The contacts that hold, of left and right feet, or other parts, somewhere in the world.

    They are those of parts that are slow, and from these on, forwards and backwards in time, as
    long as the part stays still, but no longer than `longest_s`.
    """
    if len(times_s) < 3:
        return contacts
    speed_m_s = np.linalg.norm(_velocities(places_m, times_s), axis=-1)
    sure = contacts & (speed_m_s <= FASTEST_M_S)
    still = (speed_m_s <= STILL_M_S) & _near(sure, times_s, longest_s)
    return binary_propagation(sure, ALONG_TIME, mask=sure | still)


def _near(
    sure: Bool[np.ndarray, "T P"], times_s: Float[np.ndarray, " T"], longest_s: float
) -> Bool[np.ndarray, "T P"]:
    """Whether some frame at most so far away is sure."""
    starts, ends = frames_within(times_s, times_s, longest_s).T
    counts = np.concatenate([np.zeros_like(sure[:1], int), np.cumsum(sure, axis=0)])
    return counts[ends] > counts[starts]


def _velocities(
    places_m: Float[np.ndarray, "T P 3"], times_s: Float[np.ndarray, " T"]
) -> Float[np.ndarray, "T P 3"]:
    """Slope of the line through the frames around each; at the ends through the outermost.

    A frame without any other in reach has the line through it and its neighbours.
    """
    frames = np.arange(len(times_s))
    centres_s = np.maximum(np.minimum(times_s, times_s[-1] - REACH_S), times_s[0] + REACH_S)
    starts, ends = frames_within(times_s, centres_s, REACH_S).T
    alone = ends - starts < 2
    starts = np.where(alone, np.maximum(frames - 1, 0), starts)
    ends = np.where(alone, np.minimum(frames + 2, len(frames)), ends)

    def summed(values: np.ndarray) -> np.ndarray:
        sums = np.concatenate([np.zeros_like(values[:1]), np.cumsum(values, axis=0)])
        return sums[ends] - sums[starts]

    n, t = (ends - starts)[:, None, None], (times_s - times_s[0])[:, None, None]
    sum_t = summed(t)
    return (n * summed(t * places_m) - sum_t * summed(places_m)) / (n * summed(t * t) - sum_t**2)
