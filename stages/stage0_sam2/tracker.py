"""People through a whole video, a segment at a time.

Every 20 frames the detector looks anew. Its boxes restart the masks of people that are followed
already, so that drift does not add up; people whom it misses are carried on by their last mask;
new people are also followed back through the segment before. While it finds two people as one, they
are followed on from where they were last apart.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import UInt8, UInt16

from stages.artifacts.images import ImageFile, read_image
from stages.stage0_sam2.association import (
    Candidate,
    Prompts,
    Track,
    associate,
    changed_places,
    fills,
    found_together,
)
from stages.stage0_sam2.detector import PersonDetector
from stages.stage0_sam2.propagation import follow, id_map
from stages.tracking.appearance import colours_of
from stages.tracking.pairing import SAME, contained

STEP = 20
FRAMES_FOLLOWED = 60
"""Longest session of SAM 2, and so the memory that it takes."""


@dataclass
class Segment:
    """Frames that share one look of the detector."""

    start: int
    ids: list[UInt16[np.ndarray, "H W"]]


@dataclass(frozen=True)
class Session:
    """Whom SAM 2 follows, prompted in the frame `start`."""

    start: int
    prompts: Prompts


@dataclass
class Tracker:
    """Finds and follows people; one object a video."""

    predictor: Any
    detector: PersonDetector
    images: Sequence[ImageFile]
    tracks: dict[int, Track] = field(default_factory=dict)
    scores: dict[int, float] = field(default_factory=dict)
    """SAM 2's score of the mask with which somebody was first followed, of everybody ever."""

    def run(self) -> Iterator[Segment]:
        """Segments in order, each once nothing can change it any more."""
        pending: Segment | None = None
        session = Session(0, Prompts())
        for start in range(0, len(self.images), STEP):
            first = read_image(self.images[start].path)
            candidates = self._candidates(first, self.images[start].path)
            going_on = start + STEP - session.start <= FRAMES_FOLLOWED
            if pending is not None and going_on and found_together(self.tracks, candidates):
                pending = self._followed(session, start + STEP)
                continue
            was_together = start - session.start > STEP
            crossed = was_together or changed_places(self.tracks, candidates)
            prompts = associate(self.tracks, candidates, max(self.scores, default=0) + 1, crossed)
            session = Session(start, prompts)
            scores = {person: candidate.score for person, candidate in prompts.new.items()}
            self.scores = scores | self.scores
            segment = self._followed(session, start + STEP)
            if pending is not None:
                self._follow_back(pending, session, crossed)
                yield pending
            pending = segment
        if pending is not None:
            yield pending

    def _followed(self, session: Session, stop: int) -> Segment:
        # One frame more than is kept: there the next look of the detector is compared.
        paths = [image.path for image in self.images[session.start : stop + 1]]
        size = read_image(paths[0]).shape[:2]
        found = follow(self.predictor, paths, 0, session.prompts.boxes, session.prompts.masks)
        maps = [id_map(found.get(index, {}), size) for index in range(len(paths))]
        self._carry_on(maps[-1])
        return Segment(session.start, maps[: stop - session.start])

    def _candidates(self, image: UInt8[np.ndarray, "H W 3"], path: Path) -> list[Candidate]:
        """Detections as masks; boxes whose masks are of one body are one candidate."""
        detections = self.detector(image)
        probes = {index: detection.box for index, detection in enumerate(detections)}
        scores: dict[int, float] = {}
        logits = follow(self.predictor, [path], 0, probes, {}, scores=scores).get(0, {})
        found: list[Candidate] = []
        for index, detection in enumerate(detections):
            mask, score = logits[index] > 0, scores[index]
            if not fills(mask, detection.box):
                continue
            for position, other in enumerate(found):
                if contained(mask, other.mask) > SAME:
                    mask, score = mask | other.mask, other.score
                    found[position] = Candidate(mask, score, colours_of(image, mask))
                    break
            else:
                found.append(Candidate(mask, score, colours_of(image, mask)))
        return found

    def _carry_on(self, ids: UInt16[np.ndarray, "H W"]) -> None:
        for person, track in self.tracks.items():
            if not track.hidden:
                track.last = ids == person

    def _follow_back(self, before: Segment, session: Session, crossed: bool) -> None:
        """Follows people from the start of a session back through the segment before it.

        New people are added to it where nobody else is. Of people who have crossed, or whose mask
        collapsed, it ends with what is followed back, from the frame on where both directions
        agree best.
        """
        prompts = session.prompts
        turned = [*self.tracks] if crossed else [*prompts.regained]
        added = [*turned, *prompts.new]
        boxes = {person: box for person, box in prompts.boxes.items() if person in added}
        masks = prompts.masks if crossed else {}
        if not boxes and not masks:
            return
        paths = [image.path for image in self.images[before.start : session.start + 1]]
        found = follow(self.predictor, paths, len(paths) - 1, boxes, masks, reverse=True)
        back = [id_map(found.get(index, {}), ids.shape) for index, ids in enumerate(before.ids)]
        forward = [only(ids, turned) for ids in before.ids]
        meeting = best_meeting(forward, [only(ids, turned) for ids in back])
        for index, ids in enumerate(before.ids):
            if turned and index >= meeting:
                ids[forward[index] > 0] = 0
                add_people(ids, only(back[index], added))
            else:
                add_people(ids, only(back[index], [*prompts.new]))


def only(ids: UInt16[np.ndarray, "H W"], people: list[int]) -> UInt16[np.ndarray, "H W"]:
    """An id map of some people alone."""
    return np.where(np.isin(ids, people), ids, 0).astype(ids.dtype)


def best_meeting(
    forward: list[UInt16[np.ndarray, "H W"]], back: list[UInt16[np.ndarray, "H W"]]
) -> int:
    """The frame in which most of the people's pixels have the same id in both directions.

    The first one if not even half of them have it anywhere: then forwards was wrong from the start.
    """
    people = [((a > 0) | (b > 0)).sum() for a, b in zip(forward, back, strict=True)]
    same = [((a > 0) & (a == b)).sum() for a, b in zip(forward, back, strict=True)]
    agreement = np.array(same) / np.maximum(people, 1)
    return int(np.argmax(agreement)) if agreement.max() > SAME else 0


def add_people(ids: UInt16[np.ndarray, "H W"], added: UInt16[np.ndarray, "H W"]) -> None:
    """Writes people into an id map where it shows background."""
    free = ids == 0
    ids[free] = added[free]
