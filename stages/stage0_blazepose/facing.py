"""People do not turn round between two frames: left and right over time.

From the back and from the front a body looks much the same, and the network at times takes one for
the other, for some frames: left and right change places, and what is near becomes far.
"""

from dataclasses import replace

import numpy as np
from jaxtyping import Bool, Float

from stages.blazepose.landmarks import BODY, MIRRORED
from stages.blazepose.sightings import Sighting

TURNED_COST = 0.4
"""A second of a body taken for turned costs as much as a jump of all points by a crop's side."""
GAP_S = 0.2
"""After a longer time unseen, people may have turned round."""
LIMBS = slice(11, BODY)


def turned(seen: Sighting) -> Sighting:
    """The same picture seen from the other side: left is right, and near is far."""
    order = MIRRORED[:BODY]
    return replace(
        seen,
        points_px=seen.points_px[order] * [1, 1, -1],
        world_m=seen.world_m[order] * [1, 1, -1],
        visibility=seen.visibility[order],
        presence=seen.presence[order],
    )


def steady(sightings: dict[int, Sighting], times_s: Float[np.ndarray, " T"]) -> dict[int, Sighting]:
    """Somebody's sightings, those turned round that would make them turn in no time."""
    frames = sorted(sightings)
    ways = [(sightings[frame], turned(sightings[frame])) for frame in frames]
    wrong = _cheapest(ways, times_s[frames])
    return {frame: both[int(way)] for frame, both, way in zip(frames, ways, wrong, strict=True)}


def _cheapest(
    ways: list[tuple[Sighting, Sighting]], times_s: Float[np.ndarray, " N"]
) -> Bool[np.ndarray, " N"]:
    """Whether each frame is turned, by the least sum of motion and of time turned (Viterbi)."""
    steps_s = np.diff(times_s)
    usual_s = min(float(np.median(steps_s)), GAP_S) if len(steps_s) else 0.0
    start = np.array([0.0, TURNED_COST * usual_s])
    cost, came_from = start, []
    for index in range(1, len(ways)):
        jumps = np.array([[_jump(a, b) for a in ways[index - 1]] for b in ways[index]])
        if steps_s[index - 1] > GAP_S:
            jumps[:] = 0
        total = cost + jumps
        came_from.append(total.argmin(1))
        cost = total.min(1) + start
    best = [int(cost.argmin())]
    for back in reversed(came_from):
        best.append(int(back[best[-1]]))
    return np.array(best[::-1], bool)


def _jump(a: Sighting, b: Sighting) -> float:
    """How far the limbs move, on average, over the crop's side."""
    moves = a.points_px[LIMBS, :2] - b.points_px[LIMBS, :2]
    return float(np.linalg.norm(moves, axis=1).mean()) / a.crop.side_px
