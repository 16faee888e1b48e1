"""What no camera can be tracked through: too few pictures, the same one throughout, a cut."""

import cv2
import numpy as np
from jaxtyping import Float, UInt8

from stages.running import VideoError

_SMALL_PX = 32
_SAME = 0.25
"""Grey levels, in the mean over a picture: compression of one and the same changes as much."""

_CUT = 20.0
"""Grey levels: less is no other picture."""

_CUT_OVER_NEIGHBOURS = 4.0
_NEIGHBOURS = 5


def check_footage(pictures: UInt8[np.ndarray, "T H W 3"], names: list[str]) -> None:
    """Whether a camera can be followed through pictures in RGB.

    Raises:
        VideoError: there is one picture, all are the same, or there is a cut between two.
    """
    if len(pictures) < 2:
        raise VideoError(
            f"only frame {names[0]} is there, and a camera's motion needs two or more; "
            "change --start-frame, --end-frame or --stride"
        )
    changes = picture_changes(pictures)
    if changes.max() < _SAME:
        raise VideoError(
            f"frames {names[0]} to {names[-1]} are all the same picture: there is nothing to track"
        )
    if (after := cut_after(changes)) is not None:
        raise VideoError(
            f"the scene changes altogether from frame {names[after]} to {names[after + 1]}: a cut; "
            "keep one side of it by --start-frame or --end-frame"
        )


def picture_changes(pictures: UInt8[np.ndarray, "T H W 3"]) -> Float[np.ndarray, " T-1"]:
    """Mean difference of each picture to the next, seen small; grey levels."""
    high, wide = pictures.shape[1:3]
    size = (_SMALL_PX, max(1, round(_SMALL_PX * high / wide)))
    grey = [cv2.cvtColor(each, cv2.COLOR_RGB2GRAY) for each in pictures]
    small = np.stack([cv2.resize(each, size, interpolation=cv2.INTER_AREA) for each in grey])
    return np.abs(np.diff(small.astype(np.float64), axis=0)).mean(axis=(1, 2))


def cut_after(changes: Float[np.ndarray, " n"]) -> int | None:
    """The place of the largest change, if it stands out among those around it."""
    place = int(changes.argmax())
    around = np.delete(changes, place)[max(0, place - _NEIGHBOURS) : place + _NEIGHBOURS]
    if not len(around) or changes[place] < _CUT:
        return None
    return place if changes[place] > _CUT_OVER_NEIGHBOURS * around.max() else None
