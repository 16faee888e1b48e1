"""Which window of frames supplies the prediction of which frame of a track."""

import numpy as np
from jaxtyping import Int

from stages.stage0_vimo.network.config import WINDOW

CENTRE = WINDOW // 2


def window_starts(length: int) -> Int[np.ndarray, " windows"]:
    """First frame of every window (stride 1) over a track of at least `WINDOW` frames."""
    if length < WINDOW:
        raise ValueError(f"a track of {length} frames has no window; pad it to {WINDOW} first")
    return np.arange(length - WINDOW + 1)


def window_source(length: int) -> Int[np.ndarray, "length 2"]:
    """For every frame: (first frame of the window that supplies it, position inside it).

    A frame is taken from the window that it is the centre (index 8) of; the frames before the
    first and after the last centre come from the first and last window (VIMO's rule).
    """
    last = window_starts(length)[-1]
    start = np.clip(np.arange(length) - CENTRE, 0, last)
    return np.stack([start, np.arange(length) - start], axis=1)


def pad_to_window(length: int) -> Int[np.ndarray, " padded"]:
    """Frame indices that stretch a short track to one window by repeating its ends.

    The frames sit in the middle; a track that is long enough is left as it is.
    """
    missing = max(WINDOW - length, 0)
    return np.clip(np.arange(length + missing) - missing // 2, 0, length - 1)
