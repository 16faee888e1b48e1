"""Short gaps between detections are filled."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
from jaxtyping import Float

from stages.geometry.intervals import JITTER_S
from stages.geometry.rotations import slerp
from stages.people.tracks import Track

SHORT_GAP_S = 0.1
"""From the first frame without a detection to the next one with it: 3 frames at 30 a second."""


def fill_short_gaps(track: Track, times_s: Float[np.ndarray, " T"]) -> Track:
    """Interpolates gaps of up to SHORT_GAP_S between detections: rotations along arcs, the rest
    linearly. Longer gaps, and what lies before the first and after the last detection, stay
    invalid.
    """
    valid = track.detected.copy()
    arrays = {
        name: getattr(track, name).copy() for name in ("pixels", "scores", "boxes", "rotmats")
    }
    for before, after in pairwise(np.flatnonzero(track.detected)):
        gap = np.arange(before + 1, after)
        if len(gap) == 0 or times_s[after] - times_s[gap[0]] > SHORT_GAP_S + JITTER_S:
            continue
        valid[gap] = True
        share = (times_s[gap] - times_s[before]) / (times_s[after] - times_s[before])
        for name in ("pixels", "scores", "boxes"):
            values = arrays[name]
            weight = share.reshape((-1,) + (1,) * (values.ndim - 1))
            values[gap] = (1 - weight) * values[before] + weight * values[after]
        # A keypoint seen on one side only has no place to be interpolated from.
        arrays["scores"][gap] *= (arrays["scores"][before] > 0) & (arrays["scores"][after] > 0)
        for joint in range(24):
            ends = arrays["rotmats"][[before, after], joint]
            arrays["rotmats"][gap, joint] = slerp(
                np.array([0.0, 1.0]), ends.astype(np.float64), share
            )
    return replace(track, valid=valid, **arrays)
