"""Several people's motions on one timeline: a row is one moment for all."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from jaxtyping import Float, Int

from stages.artifacts.robot_motion import RobotMotion
from stages.stage4_retarget.record import without_flips


def on_one_timeline(people: Mapping[int, Sequence[RobotMotion]]) -> dict[int, RobotMotion]:
    """Each person's parts as one motion over the rows in which anybody is there.

    Where somebody has no motion (before they come, after they leave, in long gaps) they are not
    `present`: their rows repeat the nearest pose, without contact.

    Args:
        people: parts of two or more rows, in order of time; numbers of all frames are in step.
    """
    every = [part for parts in people.values() for part in parts]
    earliest = min(every, key=lambda part: part.frame_numbers[0])
    first, second = earliest.frame_numbers[:2]
    last = max(part.frame_numbers[-1] for part in every)
    numbers = np.arange(first, last + 1, second - first, dtype=np.int32)
    times_s = earliest.times_s[0] + np.arange(len(numbers)) / earliest.fps
    return {person: _spread(parts, numbers, times_s) for person, parts in people.items()}


def _spread(
    parts: Sequence[RobotMotion], numbers: Int[np.ndarray, " T"], times_s: Float[np.ndarray, " T"]
) -> RobotMotion:
    own = np.concatenate([part.frame_numbers for part in parts])
    after = np.clip(np.searchsorted(own, numbers), 1, len(own) - 1)
    before = after - 1
    nearest = np.where(numbers - own[before] <= own[after] - numbers, before, after)
    present = own[nearest] == numbers

    def rows(name: str) -> np.ndarray:
        return np.concatenate([getattr(part, name) for part in parts])[nearest]

    return replace(
        parts[0],
        joints=rows("joints"),
        root_pos=rows("root_pos"),
        root_quat_xyzw=without_flips(rows("root_quat_xyzw")),
        link_pos=rows("link_pos"),
        link_quat_xyzw=without_flips(rows("link_quat_xyzw")),
        left_foot=rows("left_foot") & present,
        right_foot=rows("right_foot") & present,
        frame_numbers=numbers,
        times_s=times_s,
        seen=rows("seen") & present,
        present=present,
    )
