"""One person's boxes over a clip, cut into runs without gaps."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int


@dataclass(frozen=True)
class Run:
    """Consecutive frames in which a person is seen: places in the frame list, and boxes."""

    frames: Int[np.ndarray, " n"]
    boxes_xyxy: Float[np.ndarray, "n 4"]


def runs_of(boxes: dict[int, tuple[int, int, int, int]]) -> list[Run]:
    """Split a person's boxes (by place of the frame in the clip) wherever a frame is missing."""
    if not boxes:
        return []
    frames = np.array(sorted(boxes))
    cuts = np.flatnonzero(np.diff(frames) != 1) + 1
    return [
        Run(part, np.array([boxes[int(frame)] for frame in part], np.float32))
        for part in np.split(frames, cuts)
    ]
