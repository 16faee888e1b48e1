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
from jaxtyping import UInt8, UInt16

from stages.artifacts.images import ImageFile, read_image
from stages.stage0_sam2.association import (
    MIN_AREA_PX,
    SAME,
    Candidate,
    Track,
    associate,
    colours_of,
    contained,
)
from stages.stage0_sam2.detector import PersonDetector
from stages.stage0_sam2.propagation import Logits, follow, id_map

STEP = 20


@dataclass
class Segment:
    """Frames that share one look of the detector."""

    start: int
    ids: list[UInt16[np.ndarray, "H W"]]


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
        candidates = self._candidates(first, paths[0])
        prompts = associate(self.tracks, candidates, max(self.scores, default=0) + 1)
        self.scores |= {
            person: candidate.score
            for person, candidate in prompts.new.items()
            if person not in self.scores
        }
        found = follow(self.predictor, paths, 0, prompts.boxes, prompts.masks)
        maps = [id_map(found.get(index, {}), size) for index in range(len(paths))]
        self._carry_on(maps[-1])
        return Segment(start, maps[:STEP]), prompts.new

    def _candidates(self, image: UInt8[np.ndarray, "H W 3"], path: Path) -> list[Candidate]:
        """Detections as masks; boxes whose masks are of one body are one candidate."""
        detections = self.detector(image)
        probes = {index: detection.box for index, detection in enumerate(detections)}
        logits = follow(self.predictor, [path], 0, probes, {}).get(0, {})
        found: list[Candidate] = []
        for index, detection in enumerate(detections):
            mask, score = logits[index] > 0, detection.score
            if mask.sum() < MIN_AREA_PX:
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
