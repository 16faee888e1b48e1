"""People through a whole video, a segment at a time.

Every two thirds of a second the detector looks anew. Its boxes restart the masks of people that are
followed already, so that drift does not add up; people whom it misses are carried on by their last
mask; new people are also followed back through the segment before. While it finds two people as
one, they are followed on from where they were last apart. Where nobody is followed, it looks once
more, halfway to the next look.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice

import numpy as np
import torch
from jaxtyping import Bool, Float, Int16, Int32, UInt8, UInt16

from stages.artifacts.images import read_image
from stages.running.device import fetching, sent
from stages.running.overlap import started_early
from stages.stage0_sam2.association import (
    Candidate,
    Prompts,
    Track,
    associate,
    changed_places,
    fills,
    found_together,
    is_strange,
)
from stages.stage0_sam2.looks import STEP, Look
from stages.stage0_sam2.pictures import Pictures
from stages.stage0_sam2.propagation import enlarged, follow, id_map, probe
from stages.tracking.appearance import colours_of
from stages.tracking.pairing import SAME, contained

LOOKS_FOLLOWED = 3
"""People are followed from one prompt on for as many looks at most."""

IdMaps = list[UInt16[np.ndarray, "H W"]]


@dataclass
class Segment:
    """Frames that share one look of the detector."""

    start: int
    ids: IdMaps


@dataclass
class Session:
    """Whom SAM 2 follows, prompted in the frame `start`."""

    start: int
    prompts: Prompts
    coming: Iterator[Int32[torch.Tensor, "H W"]]
    """Maps of the frames to come."""
    ids: IdMaps = field(default_factory=list)
    """Of the frames from `start` on."""


@dataclass
class Tracker:
    """Finds and follows people; one object a video."""

    pictures: Pictures
    looks: Iterable[Look]
    """At every `step`-th picture, from the first on."""
    step: int = STEP
    look_at: Callable[[int], Look] | None = None
    """A look at any picture, where one more is wanted."""
    tracks: dict[int, Track] = field(default_factory=dict)
    scores: dict[int, float] = field(default_factory=dict)
    """SAM 2's score of the mask with which somebody was first followed, of everybody ever."""
    session: Session | None = None
    pending: Segment | None = None
    """The last segment: the next look may still change it."""

    def run(self) -> Iterator[Segment]:
        """Segments in order, each once nothing can change it any more."""
        for (start, look), probed in started_early(self._probe, self._coming()):
            stop = start + self.step
            yield from self._go_on(start, stop, look.image, self._candidates(look, probed()))
            between = (start + min(stop, self.pictures.count)) // 2
            if between > start and not self._anybody():
                image, found = self._look_again(between)
                if found and self.pending is not None:
                    self.pending = Segment(start, self.pending.ids[: between - start])
                    yield from self._go_on(between, stop, image, found)
        if self.pending is not None:
            self._clear_the_end(self.pending)
            yield self.pending

    def _anybody(self) -> bool:
        """Whether anybody is followed."""
        return any(not track.hidden for track in self.tracks.values())

    def _go_on(
        self,
        start: int,
        stop: int,
        image: UInt8[np.ndarray, "H W 3"],
        candidates: list[Candidate],
    ) -> Iterator[Segment]:
        """Follows people from a look to the next; yields the segment before if it is complete."""
        session = self.session
        so_far = start - session.start if session is not None else 0
        going_on = so_far + self.step <= LOOKS_FOLLOWED * self.step
        if session is not None and going_on and found_together(self.tracks, candidates):
            self.pending = self._followed(session, stop)
            return
        was_together = so_far > self.step
        crossed = was_together or changed_places(self.tracks, candidates)
        strange = [p for p, track in self.tracks.items() if is_strange(track, image, track.last)]
        new_id = max(self.scores, default=0) + 1
        prompts = associate(self.tracks, candidates, new_id, crossed, strange)
        last = start + LOOKS_FOLLOWED * self.step
        frames = range(start, min(last + 1, self.pictures.count))
        self.session = Session(start, prompts, self._maps(frames, prompts.boxes, prompts.masks))
        scores = {person: candidate.score for person, candidate in prompts.new.items()}
        self.scores = scores | self.scores
        segment = self._followed(self.session, stop)
        if self.pending is not None:
            self._follow_back(self.pending, self.session, crossed)
            lost = [person for person in strange if person not in prompts.boxes]
            self._clear(self.pending, lost, range(len(self.pending.ids) - 1, -1, -1))
            self._clear(self.pending, [*prompts.new], range(len(self.pending.ids)))
            yield self.pending
        self.pending = segment
        self.pictures.drop_before(start)

    def _followed(self, session: Session, stop: int) -> Segment:
        # One frame more than is kept: there the next look of the detector is compared.
        more = stop + 1 - session.start - len(session.ids)
        coming = fetching(each.to(torch.int16) for each in islice(session.coming, more))
        self.pictures.encode_to(
            stop + self.step
        )  # A GPU goes on with it while these are looked at.
        session.ids += maps_of(coming())
        self._carry_on(session.ids[-1])
        return Segment(session.start, session.ids[: stop - session.start])

    def _maps(
        self,
        frames: range,
        boxes: dict[int, Float[np.ndarray, "4"]],
        masks: dict[int, Bool[np.ndarray, "H W"]],
    ) -> Iterator[Int32[torch.Tensor, "H W"]]:
        """Who is where in every one of the frames."""
        device, size = self.pictures.sam2.device, self.pictures.size
        if not boxes and not masks:
            yield from (torch.zeros(size, dtype=torch.int32, device=device) for _ in frames)
            return
        people = sent(np.array([*boxes, *masks], np.int32), device)
        for logits in follow(self.pictures, frames, [*boxes.values()], [*masks.values()]):
            yield id_map(enlarged(logits, size), people)

    def _coming(self) -> Iterator[tuple[int, Look]]:
        looks = iter(self.looks)
        for start in range(0, self.pictures.count, self.step):
            self.pictures.encode_to(start)
            yield start, next(looks)

    def _probe(self, coming: tuple[int, Look]) -> Callable[[], list[torch.Tensor]]:
        """Begins to look into the detector's boxes: masks, and how well they fit."""
        at, look = coming
        if not look.detections:
            return fetching([torch.zeros(0), torch.zeros(0)])
        logits, fits = probe(self.pictures, at, [found.box for found in look.detections])
        masks = torch.cat([enlarged(each[None], self.pictures.size) > 0 for each in logits])
        return fetching([masks, fits])

    def _candidates(self, look: Look, probed: list[torch.Tensor]) -> list[Candidate]:
        """Detections as masks; boxes whose masks are of one body are one candidate."""
        masks, fits = (each.numpy() for each in probed)
        found: list[Candidate] = []
        boxes = [detection.box for detection in look.detections]
        for box, mask, score in zip(boxes, masks, fits.tolist(), strict=True):
            if not fills(mask, box):
                continue
            for position, other in enumerate(found):
                if contained(mask, other.mask) > SAME:
                    mask, score = mask | other.mask, other.score
                    found[position] = Candidate(mask, score, colours_of(look.image, mask))
                    break
            else:
                found.append(Candidate(mask, score, colours_of(look.image, mask)))
        return found

    def _look_again(self, at: int) -> tuple[UInt8[np.ndarray, "H W 3"], list[Candidate]]:
        """A picture, and who is to be seen there."""
        if self.look_at is None:
            return np.zeros((*self.pictures.size, 3), np.uint8), []
        look = self.look_at(at)
        return look.image, self._candidates(look, self._probe((at, look))())

    def _clear(self, segment: Segment, people: Iterable[int], places: Iterable[int]) -> None:
        """Takes people's masks out of a segment, place by place, as long as they show others."""
        for person in set(people) & self.tracks.keys():
            for place in places:
                mask = segment.ids[place] == person
                if not mask.any():
                    continue
                image = read_image(self.pictures.images[segment.start + place].path)
                if not is_strange(self.tracks[person], image, mask):
                    break
                segment.ids[place][mask] = 0

    def _clear_the_end(self, segment: Segment) -> None:
        """Takes out the last masks of people who have left by the last picture."""
        last, ids = len(segment.ids) - 1, segment.ids[-1]
        image = read_image(self.pictures.images[segment.start + last].path)
        left = [p for p, track in self.tracks.items() if is_strange(track, image, ids == p)]
        if left and self.look_at is not None:
            _, found = self._look_again(segment.start + last)
            gone = [p for p in left if all(contained(ids == p, c.mask) <= SAME for c in found)]
            self._clear(segment, gone, range(last, -1, -1))

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
        frames = range(session.start, before.start - 1, -1)
        coming = fetching(each.to(torch.int16) for each in self._maps(frames, boxes, masks))
        back = maps_of(coming())[:0:-1]
        forward = [only(ids, turned) for ids in before.ids]
        meeting = best_meeting(forward, [only(ids, turned) for ids in back])
        for index, ids in enumerate(before.ids):
            if turned and index >= meeting:
                ids[forward[index] > 0] = 0
                add_people(ids, only(back[index], added))
            else:
                add_people(ids, only(back[index], [*prompts.new]))


def maps_of(fetched: list[Int16[torch.Tensor, "H W"]]) -> IdMaps:
    """Ids as files have them; PyTorch can do little with numbers without a sign."""
    return [each.numpy().view(np.uint16) for each in fetched]


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
