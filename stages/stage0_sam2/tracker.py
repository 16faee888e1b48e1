"""People through a whole video, a segment at a time.

Every 20 frames the detector looks anew. Its boxes restart the masks of people that are followed
already, so that drift does not add up; people whom it misses are carried on by their last mask;
new people are also followed back through the segment before.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Bool, UInt16

from stages.artifacts.images import ImageFile, read_image
from stages.artifacts.masks import box_of
from stages.stage0_sam2.detector import Detection, PersonDetector
from stages.stage0_sam2.identities import contained, match
from stages.stage0_sam2.propagation import Logits, follow, id_map

STEP = 20
MISSES_ALLOWED = 2
"""Segments that a person may be carried on without being detected."""
MIN_AREA_PX = 20
SAME = 0.5
"""Masks that share more than this of the smaller one are of one body."""
WHOLE = 0.8
"""A new mask this much as large as the one carried on replaces it."""


@dataclass
class Segment:
    """Frames that share one look of the detector."""

    start: int
    ids: list[UInt16[np.ndarray, "H W"]]


@dataclass(frozen=True)
class Candidate:
    """Somebody in one frame: what SAM 2 sees in the detector's box."""

    mask: Bool[np.ndarray, "H W"]
    score: float

    @property
    def box(self) -> np.ndarray:
        """The mask's tight box, which is often better than the detector's."""
        return np.asarray(box_of(self.mask), np.float64)


@dataclass
class Track:
    """Somebody being followed."""

    score: float
    last: Bool[np.ndarray, "H W"]
    misses: int = 0


@dataclass
class Tracker:
    """Finds and follows people; one object a video."""

    predictor: Any
    detector: PersonDetector
    images: Sequence[ImageFile]
    tracks: dict[int, Track] = field(default_factory=dict)
    scores: dict[int, float] = field(default_factory=dict)
    """Detection score of everybody ever followed."""

    def run(self) -> Iterator[Segment]:
        """Segments in order, each once nothing can change it any more."""
        pending: Segment | None = None
        for start in range(0, len(self.images), STEP):
            segment, new = self._segment(start)
            if pending is not None:
                self._follow_back(pending, start, new)
                yield pending
            pending = segment
        if pending is not None:
            yield pending

    def _segment(self, start: int) -> tuple[Segment, dict[int, Candidate]]:
        # One frame more than is kept: there the next look of the detector is compared.
        paths = [image.path for image in self.images[start : start + STEP + 1]]
        first = read_image(paths[0])
        size = first.shape[:2]
        boxes, masks, new = self._prompts(self.detector(first), paths[0])
        found = follow(self.predictor, paths, 0, boxes, masks)
        maps = [id_map(found.get(index, {}), size) for index in range(len(paths))]
        self._carry_on(maps[-1])
        return Segment(start, maps[:STEP]), new

    def _prompts(
        self, detections: list[Detection], path: Path
    ) -> tuple[dict[int, np.ndarray], dict[int, np.ndarray], dict[int, Candidate]]:
        """Boxes for people seen, masks for people carried on, and who is new."""
        candidates = self._candidates(detections, path)
        followed = {person: track.last for person, track in self.tracks.items()}
        pairs = match(followed, [candidate.mask for candidate in candidates])
        boxes, masks, new = {}, {}, {}
        for person, track in list(self.tracks.items()):
            seen = candidates[pairs[person]] if person in pairs else None
            if seen is not None and seen.mask.sum() >= WHOLE * track.last.sum():
                track.misses = 0
                boxes[person] = seen.box
                continue
            # A part of somebody is a sign of them, but not what to follow.
            parts = [c for c in candidates if contained(c.mask, track.last) > SAME]
            track.misses = 0 if parts else track.misses + 1
            if track.misses <= MISSES_ALLOWED and track.last.sum() >= MIN_AREA_PX:
                masks[person] = track.last
            else:
                del self.tracks[person]
        for index, candidate in enumerate(candidates):
            known = any(contained(candidate.mask, mask) > SAME for mask in followed.values())
            if index in pairs.values() or known:
                continue
            person = max(self.scores, default=0) + 1
            self.tracks[person] = Track(candidate.score, candidate.mask)
            self.scores[person] = candidate.score
            boxes[person] = candidate.box
            new[person] = candidate
        return boxes, masks, new

    def _candidates(self, detections: list[Detection], path: Path) -> list[Candidate]:
        """Detections as masks; boxes whose masks are of one body are one candidate."""
        probes = {index: detection.box for index, detection in enumerate(detections)}
        logits = follow(self.predictor, [path], 0, probes, {}).get(0, {})
        found: list[Candidate] = []
        for index, detection in enumerate(detections):
            mask = logits[index] > 0
            if mask.sum() < MIN_AREA_PX:
                continue
            for position, other in enumerate(found):
                if contained(mask, other.mask) > SAME:
                    found[position] = Candidate(mask | other.mask, other.score)
                    break
            else:
                found.append(Candidate(mask, detection.score))
        return found

    def _carry_on(self, ids: UInt16[np.ndarray, "H W"]) -> None:
        for person, track in self.tracks.items():
            track.last = ids == person

    def _follow_back(self, before: Segment, start: int, new: dict[int, Candidate]) -> None:
        """Adds people found at `start` to the segment before it, where nobody else is."""
        if not new:
            return
        paths = [image.path for image in self.images[before.start : start + 1]]
        boxes = {person: candidate.box for person, candidate in new.items()}
        found = follow(self.predictor, paths, len(paths) - 1, boxes, {}, reverse=True)
        for index, ids in enumerate(before.ids):
            add_people(ids, found.get(index, {}))


def add_people(ids: UInt16[np.ndarray, "H W"], logits: Logits) -> None:
    """Writes people into an id map where it shows background."""
    added = id_map(logits, ids.shape)
    free = ids == 0
    ids[free] = added[free]
