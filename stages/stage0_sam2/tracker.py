"""People through a whole video, a segment at a time.

Every 20 frames the detector looks anew. Its boxes restart the masks of people that are followed
already, so that drift does not add up; people whom it misses are carried on by their last mask;
new people are also followed back through the segment before.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from jaxtyping import Bool, UInt16

from stages.artifacts.images import ImageFile, read_image
from stages.stage0_sam2.detector import Detection, PersonDetector
from stages.stage0_sam2.identities import mask_iou, match
from stages.stage0_sam2.propagation import Logits, follow, id_map

STEP = 20
MISSES_ALLOWED = 2
"""Segments that a person may be carried on without being detected."""
MIN_AREA_PX = 20
COVERED = 0.8


@dataclass
class Segment:
    """Frames that share one look of the detector."""

    start: int
    ids: list[UInt16[np.ndarray, "H W"]]


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

    def _segment(self, start: int) -> tuple[Segment, dict[int, Detection]]:
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
        self, detections: list[Detection], path: Any
    ) -> tuple[dict[int, np.ndarray], dict[int, np.ndarray], dict[int, Detection]]:
        """Boxes for people seen, masks for people missed, and who is new."""
        probes = {index: detection.box for index, detection in enumerate(detections)}
        logits = follow(self.predictor, [path], 0, probes, {}).get(0, {})
        detected = [logits[index] > 0 for index in range(len(detections))]
        followed = {person: track.last for person, track in self.tracks.items()}
        pairs = match(followed, detected)
        boxes, masks, new = {}, {}, {}
        for person, track in list(self.tracks.items()):
            if person in pairs:
                track.misses = 0
                boxes[person] = detections[pairs[person]].box
            elif track.misses < MISSES_ALLOWED and track.last.sum() >= MIN_AREA_PX:
                track.misses += 1
                masks[person] = track.last
            else:
                del self.tracks[person]
        for index, detection in enumerate(detections):
            if index in pairs.values() or detected[index].sum() < MIN_AREA_PX:
                continue
            if any(_covers(detected[index], mask) for mask in masks.values()):
                continue  # The detector saw a part of somebody, or several people as one.
            person = max(self.scores, default=0) + 1
            self.tracks[person] = Track(detection.score, detected[index])
            self.scores[person] = detection.score
            boxes[person] = detection.box
            new[person] = detection
        return boxes, masks, new

    def _carry_on(self, ids: UInt16[np.ndarray, "H W"]) -> None:
        for person, track in self.tracks.items():
            track.last = ids == person

    def _follow_back(self, before: Segment, start: int, new: dict[int, Detection]) -> None:
        """Adds people found at `start` to the segment before it, where nobody else is."""
        if not new:
            return
        paths = [image.path for image in self.images[before.start : start + 1]]
        boxes = {person: detection.box for person, detection in new.items()}
        found = follow(self.predictor, paths, len(paths) - 1, boxes, {}, reverse=True)
        for index, ids in enumerate(before.ids):
            add_people(ids, found.get(index, {}))


def add_people(ids: UInt16[np.ndarray, "H W"], logits: Logits) -> None:
    """Writes people into an id map where it shows background."""
    added = id_map(logits, ids.shape)
    free = ids == 0
    ids[free] = added[free]


def _covers(detected: Bool[np.ndarray, "H W"], mask: Bool[np.ndarray, "H W"]) -> bool:
    """Whether either mask lies mostly inside the other."""
    both = np.count_nonzero(detected & mask)
    smaller = min(np.count_nonzero(detected), np.count_nonzero(mask))
    return mask_iou(detected, mask) > 0 and both > COVERED * smaller
