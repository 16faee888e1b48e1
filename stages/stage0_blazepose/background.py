"""How the background moves from each picture to the next, anywhere in the picture."""

from collections.abc import Iterable

import cv2
import numpy as np
from jaxtyping import Bool, Float, UInt8

LONGEST_PX = 640
"""Larger pictures are tracked at this size."""
CORNERS, QUALITY, APART = 600, 0.005, 0.01
"""Corners at most, the least of the best one's strength, and how far apart, of the longer side."""
RETURN_PX = 0.5
"""A point that comes back to elsewhere when it is tracked back was lost."""
NEAREST = 40
"""So many of the tracked points around a place tell how it moves."""
TOLERANCE_PX = 1.0
ROUNDS = 5
Grey = UInt8[np.ndarray, "h w"]
Tracks = tuple[Float[np.ndarray, "N 2"], Float[np.ndarray, "N 2"]]


def background_tracks(
    pictures: Iterable[tuple[UInt8[np.ndarray, "H W 3"], Bool[np.ndarray, "H W"]]],
) -> list[Tracks]:
    """Points of the background in each picture, and where they are in the next one, pixels.

    Args:
        pictures: in order, each with where people are.
    """
    found: list[Tracks] = []
    before = None
    for picture, people in pictures:
        scale = min(1.0, LONGEST_PX / max(people.shape))
        grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
        if scale < 1:
            grey = cv2.resize(grey, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        margin = max(3, round(0.01 * max(grey.shape)))
        free = cv2.erode(
            cv2.resize((~people).astype(np.uint8), grey.shape[::-1]),
            np.ones((2 * margin + 1,) * 2, np.uint8),
        )
        if before is not None:
            found.append(_tracked(*before, grey, free, scale))
        before = grey, free
    return found


def _tracked(grey: Grey, free: Grey, grey_next: Grey, free_next: Grey, scale: float) -> Tracks:
    """From one picture to the next; `free` is where no people are."""
    apart = APART * max(grey.shape)
    corners = cv2.goodFeaturesToTrack(grey, CORNERS, QUALITY, apart, mask=free)
    if corners is None:
        return np.zeros((0, 2)), np.zeros((0, 2))
    ahead, found, _ = cv2.calcOpticalFlowPyrLK(grey, grey_next, corners, np.zeros_like(corners))
    back, found_back, _ = cv2.calcOpticalFlowPyrLK(grey_next, grey, ahead, np.zeros_like(ahead))
    good = (found[:, 0] > 0) & (found_back[:, 0] > 0)
    good &= np.linalg.norm(back - corners, axis=-1)[:, 0] < RETURN_PX
    ends = np.round(ahead[:, 0]).astype(int).clip(0, np.array(grey.shape[::-1]) - 1)
    good &= free_next[ends[:, 1], ends[:, 0]] > 0
    return tuple((p[good, 0].astype(float) + 0.5) / scale - 0.5 for p in (corners, ahead))


def motion_at(places_px: Float[np.ndarray, "K 2"], tracks: Tracks) -> Float[np.ndarray, "K 2"]:
    """How far the background moves, pixels, at places: a plane through the motion around each.

    Not a number where too little is tracked.
    """
    start, end = tracks
    if len(start) < 6:
        return np.full((len(places_px), 2), np.nan)
    return np.array([_local(place, start, end - start) for place in places_px])


def _local(
    place: Float[np.ndarray, "2"], start: Float[np.ndarray, "N 2"], motion: Float[np.ndarray, "N 2"]
) -> Float[np.ndarray, "2"]:
    """The motion at a place by a plane through that of the nearest points, outliers left out."""
    away = np.linalg.norm(start - place, axis=1)
    nearest = np.argpartition(away, min(NEAREST, len(away)) - 1)[:NEAREST]
    reach = max(away[nearest].max(), 1e-6)
    at = np.column_stack([np.ones(len(nearest)), (start[nearest] - place) / reach])
    w = np.exp(-2 * (away[nearest] / reach) ** 2)
    given, trust = motion[nearest], w
    fit = np.zeros((3, 2))
    for _ in range(ROUNDS):
        A = (at * trust[:, None]).T @ at + 1e-3 * np.diag([0.0, 1.0, 1.0]) * trust.sum()
        fit = np.linalg.solve(A + 1e-9 * np.eye(3), (at * trust[:, None]).T @ given)
        off = np.linalg.norm(given - at @ fit, axis=1)
        trust = w / (1 + (off / TOLERANCE_PX) ** 2) ** 2
    return fit[0]
