"""People's sizes, where only a common floor can tell them."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from stages.stage1_ground.footholds import Foothold
from stages.stage1_ground.levels import LEVELS_APART_M, Levels, levels_of_person

SHORTEST_M, TALLEST_M = 1.1, 2.05
"""People who may be taken for so tall without a note."""
ELSEWHERE = np.log(1.35)
"""Another floor is as unlikely as a size that is wrong by this factor."""


def sizes_on_one_floor(
    footholds: list[Foothold],
    levels: Levels,
    heights_m: Mapping[int, float],
    noted: set[int],
) -> dict[int, float]:
    """Factors of people's sizes that put each one's lowest level on the same floor.

    Somebody taken for too tall by some per cent is placed as much too far from the camera, and with
    them the floor under their feet. The floor is that of one of them: of whoever's height is noted,
    or else the one that changes the sizes least, of those who are seen longest. On another floor
    stands whoever would not be of a person's height, or is as high as that one is at another time.

    Args:
        heights_m: what people are taken for, by id, the most important person first.
        noted: ids whose heights are known, and stay.
    """
    levels_of = {person: levels_of_person(footholds, levels.up, person) for person in heights_m}
    seconds = {
        person: sum(each.seconds for each in footholds if each.person == person)
        for person in heights_m
    }
    below = {person: own for person, own in levels_of.items() if len(own) and own[0] < 0}

    def factor(person: int, other: int) -> float | None:
        """That puts somebody on the lowest level of another; None if they stand elsewhere."""
        floor, common = below[person][0], below[other]
        if person == other or (np.abs(common - floor) < LEVELS_APART_M / 2).any():
            return 1.0
        found = float(common[0] / floor)
        fits = SHORTEST_M <= found * heights_m[person] <= TALLEST_M
        return found if fits and person not in noted and abs(np.log(found)) < ELSEWHERE else None

    def cost(other: int) -> float:
        found = {person: factor(person, other) for person in below}
        costs = {
            person: (np.log(each) if each else ELSEWHERE) ** 2 for person, each in found.items()
        }
        return round(float(sum(seconds[person] * costs[person] for person in below)), 3)

    candidates = [person for person in below if person in noted] or list(below)
    if not candidates:
        return {}
    owner = min(candidates, key=cost)
    chosen = {person: factor(person, owner) or 1.0 for person in below}
    return {person: each for person, each in chosen.items() if each != 1}


def resized(footholds: list[Foothold], factors: Mapping[int, float]) -> list[Foothold]:
    """Footholds of people who are larger or smaller by a factor, seen from the camera."""
    sizes = [factors.get(each.person, 1.0) for each in footholds]
    return [
        replace(each, points_m=size * each.points_m, middle_m=size * each.middle_m)
        for each, size in zip(footholds, sizes, strict=True)
    ]
