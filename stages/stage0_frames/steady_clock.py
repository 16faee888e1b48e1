"""A steady clock for frames whose stamps are rounded, bunched, torn or stretched."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from jaxtyping import Float

ROUNDING = 0.002
"""Stamps are rounded, so a rate this near to one that cameras have, as a share, is that one."""
WINDOWS = (12, 6, 2, 1)
"""Steps that are measured together: stamps may be rounded, or come in bunches of two, three, four.
The first that is at most a quarter of the video.
"""
SAME_STEP = 0.05
LONGEST_HOLE_S = 1.0
LONGEST_HOLE_STEPS = 10
SHORTEST_PART = 4
"""Fewer frames than these do not tell a clock that starts again from stamps out of order."""
MOST_PICTURES_A_FRAME = 2
CAPTURE_FACTOR = 1.9
"""A noted rate this far off is believed: phones that slow down in the dark note theirs too."""
_NTSC = tuple(rate * 1000 / 1001 for rate in (24, 30, 48, 60, 120, 240))


def usual_step_s(times_s: Float[np.ndarray, " T"]) -> float:
    """The time from frame to frame that most of the video has."""
    steps = len(times_s) - 1
    window = next(window for window in WINDOWS if window <= max(1, steps // 4))
    spans = (times_s[window:] - times_s[:-window]) / window
    spans = spans[spans > 0]
    if not len(spans):
        return 1 / 30
    usual = np.sort(spans)[len(spans) // 2]
    return float(spans[np.abs(spans - usual) <= SAME_STEP * usual].mean())


@dataclass(frozen=True)
class Jump:
    """Where a clock was mended: before frame `at`, its stamps went `from_s` to `to_s`."""

    at: int
    from_s: float
    to_s: float

    @property
    def is_restart(self) -> bool:
        return self.to_s < self.from_s


def closed(times_s: Float[np.ndarray, " T"]) -> tuple[Float[np.ndarray, " T"], list[Jump]]:
    """Times that begin at 0 and never fall, without long holes; and where that needed mending.

    Where nothing comes for over a second (and ten usual steps), or the clock starts again, the next
    frame follows after a usual step. Frames come in the order in which they are shown, so stamps
    that fall now and then are sorted.
    """
    step = usual_step_s(times_s)
    longest = max(LONGEST_HOLE_S, LONGEST_HOLE_STEPS * step)
    times = _without_spikes(times_s, longest)
    for begin, end in pairwise([0, *_restarts(times, step), len(times)]):
        times[begin:end] = np.sort(times[begin:end])
    steps = np.diff(times)
    torn = np.flatnonzero((steps > longest) | (steps < 0))
    steps[torn] = step
    jumps = [Jump(at + 1, float(times[at]), float(times[at + 1])) for at in torn.tolist()]
    return np.concatenate([[0.0], np.cumsum(steps)]), jumps


def _without_spikes(times_s: Float[np.ndarray, " T"], longest_s: float) -> Float[np.ndarray, " T"]:
    """A copy in which a single stamp far from both of its neighbours is one of theirs."""
    times = times_s.copy()
    middle = np.median([times[:-2], times[1:-1], times[2:]], axis=0)
    times[1:-1] = np.where(np.abs(times[1:-1] - middle) > longest_s, middle, times[1:-1])
    return times


def _restarts(times_s: Float[np.ndarray, " T"], step_s: float) -> list[int]:
    """Frames at which stamps fall and stay lower: those after are no later than as many before."""
    result = []
    for at in (np.flatnonzero(np.diff(times_s) < 0) + 1).tolist():
        near = min(WINDOWS[0], at, len(times_s) - at)
        before, after = times_s[at - near : at], times_s[at : at + near]
        if near >= SHORTEST_PART and np.median(after) < np.median(before) + step_s / 2:
            result.append(at)
    return result


def usual_rate(times_s: Float[np.ndarray, " T"]) -> float:
    """Frames a second of times that never fall.

    A steady clock at the usual step may need many more pictures than there are frames; then it is
    frames over duration.
    """
    rate, end = 1 / usual_step_s(times_s), float(times_s[-1])
    if ticks(end, rate) > MOST_PICTURES_A_FRAME * len(times_s):
        rate = (len(times_s) - 1) / end
    known = min((max(1.0, float(round(rate))), *_NTSC), key=lambda one: abs(one - rate))
    return known if abs(known - rate) <= ROUNDING * known else rate


def capture_factor(metadata: dict[str, str], rate: float) -> float:
    """How many times slower the file's clock is than the filmed one, as Android's cameras note it.

    Below 1 for a time lapse; 1 where nothing is noted.
    """
    try:
        factor = float(metadata.get("com.android.capture.fps", "")) / rate
    except ValueError:
        return 1.0
    far = CAPTURE_FACTOR <= factor < 1000 or 0.001 < factor <= 1 / CAPTURE_FACTOR
    return factor if far else 1.0


def ticks(end_s: float, fps: float) -> int:
    """How many ticks there are from 0 to the end."""
    return int(np.floor(end_s * fps + 0.1)) + 1


def nearest_times(times_s: Float[np.ndarray, " T"], fps: float) -> list[int]:
    """The source frame nearest to each tick of a steady clock that starts at the first frame.

    Args:
        times_s: presentation times that never fall.
        fps: ticks a second.
    """
    at = np.arange(ticks(times_s[-1] - times_s[0], fps)) / fps + times_s[0]
    right = np.clip(np.searchsorted(times_s, at), 1, len(times_s) - 1)
    left = right - 1
    nearer_left = at - times_s[left] <= times_s[right] - at
    return np.where(nearer_left, left, right).tolist()
