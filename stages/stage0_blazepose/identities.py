"""Which tracklets are the same person, known by place after a moment and by clothes after longer.

Somebody is lost where they are hidden or leave the picture, and found again as a new tracklet.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from stages.blazepose.sightings import Sighting
from stages.stage0_blazepose.facing import steady
from stages.stage0_blazepose.following import SURE, Tracklet
from stages.tracking.appearance import likeness
from stages.tracking.pairing import best_pairs, by_clothes, by_place

ABSENT_S = 10.0
"""As long as this, somebody can be away and still be known again."""
MOMENT_S = 0.3
"""After this little, somebody is known by their place alone."""
REACH = 1.0
"""How far people get: of their crop's side a second, and at once as much as in `MOMENT_S`."""
WINDOW_S = 0.5
CHANGED = 0.7
"""Colours in common before and after a moment in which somebody else was taken for a person."""
LEAST_SCORE = 0.9
"""Mean score of the landmark network over somebody's frames."""
GLIMPSE_S, LEAST_S = 0.1, 0.3
"""Nobody is seen for less at once, or in all: shorter is what looks like a person from one side."""


@dataclass(frozen=True, eq=False)
class Person:
    """Somebody in a video, frame by frame; the score is the detector's best."""

    sightings: dict[int, Sighting]
    score: float


def people_of(tracklets: list[Tracklet], times_s: Float[np.ndarray, " T"]) -> list[Person]:
    """The people of a video, in the order in which they come into it."""
    parts = [part for tracklet in tracklets for part in cut_where_changed(tracklet, times_s)]
    parts = [part for part in parts if seen_s(part.sightings, times_s) >= GLIMPSE_S]
    parts.sort(key=lambda part: part.first)
    chains = chained(parts, best_pairs(fits(parts, times_s)))
    people = [whole(chain, times_s) for chain in chains]
    return [person for person in people if is_person(person, times_s)]


def cut_where_changed(tracklet: Tracklet, times_s: Float[np.ndarray, " T"]) -> list[Tracklet]:
    """The tracklet in two where it went over to somebody in other clothes; else as it is."""
    frames = np.array(sorted(tracklet.sightings))
    colours = np.array([tracklet.sightings[frame].colours for frame in frames])
    times = times_s[frames]
    alike = np.ones(len(frames))
    for at in range(1, len(frames)):
        before = colours[:at][times[:at] >= times[at] - WINDOW_S]
        after = colours[at:][times[at:] < times[at] + WINDOW_S]
        alike[at] = likeness(before.mean(0), after.mean(0)) if len(before) else 1.0
    at = int(alike.argmin())
    if alike[at] >= CHANGED:
        return [tracklet]
    halves = (frames[:at], frames[at:])
    return [
        part
        for half in halves
        for part in cut_where_changed(
            Tracklet(
                {frame: tracklet.sightings[frame] for frame in half.tolist()},
                {f: s for f, s in tracklet.found.items() if half[0] <= f <= half[-1]},
            ),
            times_s,
        )
    ]


def fits(parts: list[Tracklet], times_s: Float[np.ndarray, " T"]) -> Float[np.ndarray, "N N"]:
    """How well each tracklet (column) goes on from each other one (row); 0 if it does not."""
    fit = np.zeros((len(parts), len(parts)))
    colours = [part.colours() for part in parts]
    for row, one in enumerate(parts):
        for column, other in enumerate(parts):
            away_s = times_s[other.first] - times_s[one.last]
            in_turn = one.first < other.first and one.last < other.last
            if not in_turn or not -MOMENT_S / 2 <= away_s <= ABSENT_S:
                continue
            near = np.array(nearness(one.sightings[one.last], other.sightings[other.first], away_s))
            alike = np.array(likeness(colours[row], colours[column]))
            fit[row, column] = by_clothes(near, alike)
            if away_s <= MOMENT_S:
                fit[row, column] = max(fit[row, column], by_place(near, alike))
    return fit


def nearness(before: Sighting, after: Sighting, away_s: float) -> float:
    """From 1, the same place and size, to 0, farther than people get in that time."""
    gone, come = before.next_crop, after.next_crop
    sides = sorted((gone.side_px, come.side_px))
    reach = REACH * sides[1] * max(away_s, MOMENT_S)
    distance = float(np.hypot(*(come.centre_px - gone.centre_px)))
    return max(0.0, 1 - distance / reach) * sides[0] / sides[1]


def chained(parts: list[Tracklet], following: dict[int, int]) -> list[list[Tracklet]]:
    """Tracklets in rows, each going on where the one before ended."""
    chains = []
    for start in sorted(set(range(len(parts))) - set(following.values())):
        chain = [start]
        while chain[-1] in following:
            chain.append(following[chain[-1]])
        chains.append([parts[index] for index in chain])
    return chains


def whole(chain: list[Tracklet], times_s: Float[np.ndarray, " T"]) -> Person:
    """The person of a row of tracklets."""
    sightings = {frame: seen for part in chain for frame, seen in part.sightings.items()}
    found = [score for part in chain for score in part.found.values()]
    return Person(steady(sightings, times_s), max(found, default=0.0))


def is_person(person: Person, times_s: Float[np.ndarray, " T"]) -> bool:
    """Whether enough speaks for somebody: detector, landmark network, and time."""
    score = np.mean([seen.score for seen in person.sightings.values()])
    long_enough = seen_s(person.sightings, times_s) >= LEAST_S
    return bool(person.score >= SURE and score >= LEAST_SCORE and long_enough)


def seen_s(sightings: dict[int, Sighting], times_s: Float[np.ndarray, " T"]) -> float:
    """How long somebody is seen; in videos that are shorter than `LEAST_S`, always long enough."""
    step_s = float(np.median(np.diff(times_s))) if len(times_s) > 1 else LEAST_S
    return LEAST_S if len(sightings) == len(times_s) else len(sightings) * step_s
