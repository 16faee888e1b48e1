"""Frames of a video file, resampled by their time stamps."""

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from jaxtyping import Float, UInt8

from stages.running import VideoError

WHOLE_RATE_TOLERANCE = 0.002


def _decoded(path: Path) -> Iterator[tuple[float, UInt8[np.ndarray, "H W 3"]]]:
    """Presentation time in seconds and upright RGB image of every frame that decodes."""
    try:
        container = av.open(str(path))
    except (av.FFmpegError, OSError, ValueError) as error:
        raise VideoError(
            f"{path} is not a video that can be opened ({error}); replace it"
        ) from None
    with container:
        if not container.streams.video:
            raise VideoError(f"{path} has no video stream; replace it")
        stream = container.streams.video[0]
        stream.thread_type = "AUTO"
        rate = stream.average_rate or Fraction(30)
        try:
            for index, frame in enumerate(container.decode(stream)):
                time = frame.time if frame.time is not None else float(index / rate)
                turns = round((frame.rotation or 0) / 90) % 4
                yield (
                    float(time),
                    np.ascontiguousarray(np.rot90(frame.to_ndarray(format="rgb24"), turns)),
                )
        except (av.FFmpegError, ValueError) as error:
            raise _CutShortError(str(error)) from None


def expected_frames(path: Path, fps: float | None) -> int:
    """How many frames the file's header promises, at its own or another rate; 0 if damaged."""
    try:
        with av.open(str(path)) as container:
            stream = container.streams.video[0]
            rate = fps or stream.average_rate
            if container.duration and rate:
                return round(container.duration / av.time_base * float(rate))
            return stream.frames
    except (av.FFmpegError, OSError, ValueError, IndexError):
        return 0


class _CutShortError(Exception):
    """Decoding stopped before the end of the file."""


def nominal_fps(times_s: Float[np.ndarray, " T"]) -> float:
    """The rate of frames with these times: one over the median step.

    Containers round their stamps, so a rate within 0.2 % of a whole number is that number.
    """
    steps = np.diff(times_s)
    rate = 1.0 / float(np.median(steps[steps > 0])) if (steps > 0).any() else 30.0
    whole = round(rate)
    return float(whole) if whole and abs(rate - whole) < WHOLE_RATE_TOLERANCE * whole else rate


def nearest_times(times_s: Float[np.ndarray, " T"], fps: float) -> list[int]:
    """The source frame nearest to each tick of a steady clock that starts at the first frame.

    Args:
        times_s: increasing presentation times.
        fps: ticks a second.
    """
    end = times_s[-1] - times_s[0]
    ticks = np.arange(int(np.floor(end * fps + 0.1)) + 1) / fps + times_s[0]
    right = np.clip(np.searchsorted(times_s, ticks), 1, len(times_s) - 1)
    left = right - 1
    nearer_left = ticks - times_s[left] <= times_s[right] - ticks
    return np.where(nearer_left, left, right).tolist()


def probe(path: Path) -> tuple[Float[np.ndarray, " T"], str]:
    """Presentation times of all frames that decode, and what is wrong with the file, if anything.

    Raises:
        VideoError: not a video, a single picture, or no frame decodes.
    """
    times, problem = [], ""
    try:
        for time, _ in _decoded(path):
            times.append(time)
    except _CutShortError as error:
        problem = f"cut short or damaged after frame {len(times)} ({error})"
    if not times:
        raise VideoError(f"{path} has no frames that decode {problem}; replace it")
    if len(times) < 2:
        raise VideoError(f"{path} holds a single picture, not a video; replace it")
    # Some encoders write a falling stamp now and then; a steady clock needs rising ones.
    return np.maximum.accumulate(np.asarray(times) - times[0]), problem


def pick_frames(path: Path, wanted: list[int]) -> Iterator[UInt8[np.ndarray, "H W 3"]]:
    """The images at these rising positions (repeats allowed), decoded in one pass."""
    position = 0
    try:
        for index, (_, image) in enumerate(_decoded(path)):
            while position < len(wanted) and wanted[position] == index:
                yield image
                position += 1
            if position == len(wanted):
                return
    except _CutShortError:
        return
