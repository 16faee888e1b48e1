"""Frames in which a person was seen become uniform rows: short gaps are bridged, long ones split.

In a gap that is bridged the pelvis turns along an arc and moves along Akima's spline (J. ACM 17,
1970), which keeps the speeds around the gap, as in a jump, and unlike a cubic spline does not
overshoot if the last frame before it is off. So do the other joints in the pelvis' axes: a body
that turns does not shrink. These rows are marked as not seen: the solver follows them only weakly
(see `retarget`).
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int
from scipy.interpolate import Akima1DInterpolator

from stages.artifacts.clock import Clock
from stages.geometry.rotations import slerp
from stages.stage4_retarget.contacts import Flags
from stages.stage4_retarget.retarget import Person

# Somebody who is missing for longer may do anything meanwhile, s.
LONGEST_GAP_S = 0.5
SHORTEST_ROWS = 2


class Observed(NamedTuple):
    """What is known of a person: a row a frame in which they were seen (world, m)."""

    frame_numbers: Int[np.ndarray, " N"]
    joints: Float[np.ndarray, "N 45 3"]
    R_world_root: Float[np.ndarray, "N 3 3"]
    flags: Flags


class Part(NamedTuple):
    """A motion without long gaps, a row for every frame from its first to its last."""

    frame_numbers: Int[np.ndarray, " T"]
    motion: Person


def row_step(people: list[Observed], stride: int) -> int:
    """Frames from one row to the next, for all people of a clip: the world's stride.

    It is a divisor of the stride if the frames that there are do not keep to it.
    """
    numbers = np.unique([number for person in people for number in person.frame_numbers])
    return int(np.gcd.reduce(np.append(np.diff(numbers), stride)))


def parts_of(person: Observed, step: int, clock: Clock) -> list[Part]:
    """The person's motion in parts, in order of time; single frames are left out."""
    missing = np.diff(person.frame_numbers) // step - 1
    long = missing * step / clock.fps > LONGEST_GAP_S + 1e-6
    cuts = np.flatnonzero(long) + 1
    ranges = zip([0, *cuts], [*cuts, len(person.frame_numbers)], strict=True)
    return [
        bridged(_between(person, start, end), step, clock)
        for start, end in ranges
        if end - start >= SHORTEST_ROWS
    ]


def bridged(person: Observed, step: int, clock: Clock) -> Part:
    """One row for every `step` frames from the first to the last in which the person was seen."""
    numbers = person.frame_numbers
    rows = np.arange(numbers[0], numbers[-1] + 1, step)
    seen = np.isin(rows, numbers)
    times_s = clock.times_s(rows)
    if seen.all():
        return Part(rows, Person(person.joints, person.R_world_root, times_s, person.flags))
    pelvis = person.joints[:, :1]
    in_body = np.einsum("nji,nkj->nki", person.R_world_root, person.joints - pelvis)
    R = slerp(numbers, person.R_world_root, rows)
    joints = np.einsum("tij,tkj->tki", R, Akima1DInterpolator(numbers, in_body)(rows))
    joints += Akima1DInterpolator(numbers, pelvis)(rows)
    joints[seen], R[seen] = person.joints, person.R_world_root
    touching, known = np.zeros((len(rows), 2), bool), np.zeros(len(rows), bool)
    touching[seen], known[seen] = person.flags
    dtype = person.joints.dtype
    motion = Person(joints.astype(dtype), R.astype(dtype), times_s, Flags(touching, known), seen)
    return Part(rows, motion)


def _between(person: Observed, start: int, end: int) -> Observed:
    rows = slice(start, end)
    numbers, joints, R, flags = person
    return Observed(
        numbers[rows], joints[rows], R[rows], Flags(flags.touching[rows], flags.known[rows])
    )
