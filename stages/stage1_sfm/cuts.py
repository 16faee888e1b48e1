"""Cuts: a video of two places, which no camera's path joins."""

from collections.abc import Callable, Sequence
from itertools import pairwise

import cv2
import numpy as np
from jaxtyping import UInt8

from stages.cameras.frames import Frames
from stages.running import VideoError

SUDDEN = 3.0
"""So many times as much as between any two frames around changes at a cut; a camera that turns
fast, or a blur, takes several frames."""
SEEN_PX = (32, 18)
Linked = Sequence[tuple[int, int]]


def parted(keys: int, linked: Linked) -> list[int]:
    """Places among key frames before which nothing links them to the earlier ones.

    Args:
        keys: number of key frames.
        linked: pairs, by place, in which enough features were found again. On both sides of a
            place, neighbours must be linked: else the frames are blurred, or show nothing.
    """
    pairs = {(min(pair), max(pair)) for pair in linked}
    return [
        place
        for place in range(2, keys - 1)
        if {(place - 2, place - 1), (place, place + 1)} <= pairs
        and not any(first < place <= second for first, second in pairs)
    ]


def sudden_change(grey: Callable[[int], UInt8[np.ndarray, "H W"]], frames: range) -> int | None:
    """The frame before which the picture changes all at once; None if it does not."""
    small = [
        cv2.resize(grey(frame), SEEN_PX, interpolation=cv2.INTER_AREA).astype(np.float32)
        for frame in frames
    ]
    changes = np.array([np.abs(b - a).mean() for a, b in pairwise(small)])
    if len(changes) < 2:
        return None
    most = int(changes.argmax())
    others = np.delete(changes, most)
    return frames[most + 1] if changes[most] > SUDDEN * max(others.max(), 1.0) else None


def require_one_place(frames: Frames, keys: list[int], linked: Linked) -> None:
    """Refuses a video with a cut.

    Raises:
        VideoError: names the frames.
    """
    for place in parted(len(keys), linked):
        around = range(keys[place - 2], keys[place + 1] + 1)
        cut = sudden_change(frames.grey, around)
        if cut is not None:
            before, after = frames.images[cut - 1], frames.images[cut]
            raise VideoError(
                f"there is a cut between frames {before.name} and {after.name}: no camera path "
                f"joins the two; take one part by --end-frame {after.number - 1} or "
                f"--start-frame {after.number - 1}, or cut the video in two"
            )
