"""Who is who when the detector looks anew: people followed so far against people just found.

Somebody who is found again is followed on from there. Somebody who is not is carried on by their
last mask for a while. Where that is empty or lies on somebody else, they are out of sight, and wait
until somebody dressed as they were appears.
"""

from collections.abc import Collection
from dataclasses import dataclass, field, replace

import numpy as np
from jaxtyping import Bool, Float, UInt8

from stages.artifacts.masks import box_of
from stages.tracking.appearance import ALIKE, Colours, colours_of, likeness
from stages.tracking.pairing import SAME, best_pairs, by_clothes, by_place, contained

MISSES_ALLOWED = 2
"""Looks of the detector that a person may be carried on without being found."""
HIDDEN_ALLOWED = 6
"""Looks that a person may be out of sight and still be known again."""
MIN_AREA_PX = 20
LEAST_FILLED = 0.05
"""A mask that fills less of the detector's box is not of what the detector saw."""
WHOLE = 0.8
"""A new mask this much as large as the one carried on replaces it."""
LITTLE = 0.15
"""Share of somebody's area that is too little to go on with."""
COLLAPSED = 0.5
"""A mask carried on that has less than this of the area found is not to be trusted any more."""
STRANGE = ALIKE / 2
"""A mask with less than this of somebody's colours in common shows something else: of feet or a leg
alone there is more."""
PARTS_ALIKE, PARTS_AREA = 0.8, 1.5
"""Parts of one person share that much of their colours, and are in all at most so many times
the area that the person had."""


@dataclass(frozen=True)
class Candidate:
    """Somebody in one frame: what SAM 2 sees in the detector's box."""

    mask: Bool[np.ndarray, "H W"]
    score: float
    colours: Colours

    @property
    def box(self) -> np.ndarray:
        """The mask's tight box, which is often better than the detector's."""
        return np.asarray(box_of(self.mask), np.float64)


@dataclass
class Track:
    """Somebody being followed, or hidden: behind somebody else, or out of the picture."""

    score: float
    last: Bool[np.ndarray, "H W"]
    colours: Colours
    whole_px: int
    """Area when last found as a whole."""
    misses: int = 0
    hidden: bool = False


@dataclass(frozen=True)
class Prompts:
    """Whom to follow from a frame on, by box or by mask; who is new there, whose mask was lost."""

    boxes: dict[int, np.ndarray] = field(default_factory=dict)
    masks: dict[int, Bool[np.ndarray, "H W"]] = field(default_factory=dict)
    new: dict[int, Candidate] = field(default_factory=dict)
    regained: set[int] = field(default_factory=set)
    """People found whole whose mask had collapsed on the way."""


def fills(mask: Bool[np.ndarray, "H W"], box: Float[np.ndarray, "4"]) -> bool:
    """Whether a mask can be of the person that the detector saw in a box (x1, y1, x2, y2)."""
    x1, y1, x2, y2 = box
    return bool(mask.sum() >= max(MIN_AREA_PX, LEAST_FILLED * (x2 - x1) * (y2 - y1)))


def is_strange(
    track: Track, image: UInt8[np.ndarray, "H W 3"], mask: Bool[np.ndarray, "H W"]
) -> bool:
    """Whether a mask shows something else than the person; not if it is empty."""
    return bool(mask.any()) and likeness(track.colours, colours_of(image, mask)) < STRANGE


def found_together(tracks: dict[int, Track], candidates: list[Candidate]) -> bool:
    """Whether somebody in view was found only as a part of somebody else who is followed.

    Not if somebody dressed like them was found elsewhere.
    """
    in_view = _in_view(tracks)
    pairs = _pairs(in_view, candidates)
    others = [candidates[i].mask for i in pairs.values()]
    free = [c for i, c in enumerate(candidates) if i not in pairs.values()]
    return any(
        person not in pairs
        and not _little_left(track)
        and _covered(track, others)
        and all(likeness(track.colours, candidate.colours) < ALIKE for candidate in free)
        for person, track in in_view.items()
    )


def changed_places(tracks: dict[int, Track], candidates: list[Candidate]) -> bool:
    """Whether masks carried on went over to one another's people, as their clothes say."""
    in_view = _in_view(tracks)
    by_place, by_clothes = _pairs(in_view, candidates), _pairs(in_view, candidates, crossed=True)
    return any(by_place[person] != by_clothes[person] for person in by_place.keys() & by_clothes)


def associate(
    tracks: dict[int, Track],
    candidates: list[Candidate],
    next_id: int,
    crossed: bool = False,
    strange: Collection[int] = (),
) -> Prompts:
    """Whom to follow on, and from what.

    `tracks` is brought up to date: people lost for too long leave, new ones get ids from
    `next_id` on. `crossed`: people were found together before or have changed places, so that
    clothes say more than places. `strange`: people whose mask has become that of something else,
    unless they are found there.
    """
    prompts = Prompts()
    in_view = _in_view(tracks)
    pairs = _pairs(in_view, candidates, crossed)
    candidates = with_parts(in_view, candidates, pairs)
    known = []
    for person, track in in_view.items():
        if person not in pairs:
            others = [candidates[i].mask for i in pairs.values()]
            track.hidden = person in strange or _little_left(track) or _covered(track, others)
            track.misses = 0 if track.hidden else track.misses + 1
            if not track.hidden:
                prompts.masks[person] = track.last
                known.append(track.last)
            continue
        found, track.misses = candidates[pairs[person]], 0
        rest = [c for i, c in enumerate(candidates) if i != pairs[person]]
        run_together = crossed or _holds_another(track, found, rest)
        if run_together or found.mask.sum() >= WHOLE * track.last.sum():
            track.colours, track.whole_px = found.colours, int(found.mask.sum())
            prompts.boxes[person] = found.box
            if track.last.sum() < COLLAPSED * found.mask.sum():
                prompts.regained.add(person)
            known.append(found.mask if run_together else track.last | found.mask)
        else:  # A part of somebody is a sign of them, but not what to follow.
            prompts.masks[person] = track.last
            known.append(track.last)
    for i, candidate in enumerate(candidates):
        taken = i in pairs.values()
        if taken or any(contained(candidate.mask, mask) > SAME for mask in known):
            continue
        returning = _returning(tracks, candidate)
        person = next_id if returning is None else returning
        next_id += returning is None
        tracks[person] = Track(
            candidate.score, candidate.mask, candidate.colours, int(candidate.mask.sum())
        )
        prompts.boxes[person] = candidate.box
        prompts.new[person] = candidate
    _forget_the_lost(tracks, prompts)
    return prompts


def _in_view(tracks: dict[int, Track]) -> dict[int, Track]:
    return {person: track for person, track in tracks.items() if not track.hidden}


def with_parts(
    tracks: dict[int, Track], candidates: list[Candidate], pairs: dict[int, int]
) -> list[Candidate]:
    """The candidates; those that are paired also hold what else was found of the same person."""
    whole = list(candidates)
    for track in tracks.values():
        inside = [i for i, c in enumerate(candidates) if contained(c.mask, track.last) > SAME]
        for i in set(inside) & set(pairs.values()):
            for part in (candidates[j] for j in inside if j not in pairs.values()):
                mask = whole[i].mask | part.mask
                alike = (
                    likeness(part.colours, candidates[i].colours) >= PARTS_ALIKE
                    or likeness(part.colours, track.colours) >= ALIKE
                )
                if alike and mask.sum() <= PARTS_AREA * track.whole_px:
                    areas = [whole[i].mask.sum(), part.mask.sum()]
                    colours = np.average([whole[i].colours, part.colours], axis=0, weights=areas)
                    whole[i] = replace(whole[i], mask=mask, colours=colours)
    return whole


def _pairs(
    tracks: dict[int, Track], candidates: list[Candidate], crossed: bool = False
) -> dict[int, int]:
    """Who is which candidate: by how much of the smaller mask is shared, and by colours."""
    if not tracks or not candidates:
        return {}
    people = list(tracks)
    shared = np.array([[contained(tracks[p].last, c.mask) for c in candidates] for p in people])
    alike = np.array([[likeness(tracks[p].colours, c.colours) for c in candidates] for p in people])
    fit = by_clothes(shared, alike) if crossed else by_place(shared, alike)
    return {people[row]: column for row, column in best_pairs(fit).items()}


def _little_left(track: Track) -> bool:
    return int(track.last.sum()) < max(MIN_AREA_PX, LITTLE * track.whole_px)


def _covered(track: Track, others: list[Bool[np.ndarray, "H W"]]) -> bool:
    return any(contained(track.last, other) > SAME for other in others)


def _holds_another(track: Track, found: Candidate, rest: list[Candidate]) -> bool:
    """Whether a mask carried on has run together with another person's, who is found beside.

    What is dressed as the followed person is a part of them, unless the mask is too large for one.
    """
    large = track.last.sum() > PARTS_AREA * track.whole_px
    return any(
        other.mask.sum() >= 0.5 * found.mask.sum()
        and contained(track.last, other.mask) > SAME
        and (large or likeness(track.colours, other.colours) < ALIKE)
        for other in rest
    )


def _returning(tracks: dict[int, Track], candidate: Candidate) -> int | None:
    """Who of the hidden the candidate looks like most, if alike enough."""
    alike = {
        person: likeness(track.colours, candidate.colours)
        for person, track in tracks.items()
        if track.hidden
    }
    best = max(alike, key=lambda person: alike[person], default=None)
    return best if best is not None and alike[best] >= ALIKE else None


def _forget_the_lost(tracks: dict[int, Track], prompts: Prompts) -> None:
    for person, track in list(tracks.items()):
        track.misses += track.hidden
        if track.misses > (HIDDEN_ALLOWED if track.hidden else MISSES_ALLOWED):
            del tracks[person]
            prompts.masks.pop(person, None)
