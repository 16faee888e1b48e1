"""When the frames of a video were taken: they lie on a steady clock, by their numbers."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float, Int

from stages.artifacts.images import read_times

ASSUMED_FPS = 30.0
"""The original's, where nothing says what the rate is."""


@dataclass(frozen=True)
class Clock:
    """Frame n of a video was taken (n - 1) / fps seconds after frame 1.

    fps: frames a second as numbered, whatever stride a reconstruction takes them with.
    remark: what was assumed, in words; empty if the rate is known.
    """

    fps: float
    remark: str = ""

    def times_s(self, frame_numbers: Int[np.ndarray, " T"]) -> Float[np.ndarray, " T"]:
        """Seconds of the video."""
        return (np.asarray(frame_numbers) - 1) / self.fps


def read_clock(
    frames_json: Path | None,
    frame_numbers: Sequence[int] | Int[np.ndarray, " T"] = (),
    times_s: Sequence[float] | Float[np.ndarray, " T"] = (),
) -> Clock:
    """The clock of a video: as stage 0 recorded it, else by times that a later file holds.

    Args:
        frames_json: `input_images/<video>/cam01/frames.json`; None if it is not there.
        frame_numbers, times_s: numbers and times of two or more frames of the video, if known.

    Raises:
        ArtifactError: `frames_json` is damaged.
    """
    recorded = None if frames_json is None else read_times(frames_json.parent)
    if recorded is not None:
        return Clock(recorded.fps)
    if len(times_s) > 1 and times_s[-1] > times_s[0]:
        frames = float(frame_numbers[-1] - frame_numbers[0])
        return Clock(frames / float(times_s[-1] - times_s[0]))
    return Clock(ASSUMED_FPS, f"the frame rate is not recorded: taken for {ASSUMED_FPS:g}")


def frame_number(name: str) -> int:
    """The number in a frame's name: 12 of `00012` and of `frame_00012`."""
    return int(name.split("_")[-1])
