"""People followed from frame to frame, forwards and backwards from where the detector finds them.

What comes out are tracklets: somebody over consecutive frames, until they are lost. Who of them is
the same person is said elsewhere.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np
from jaxtyping import Float, UInt8

from stages.artifacts.images import ImageFile, read_image
from stages.blazepose.sightings import Estimator, Sighting
from stages.stage0_blazepose.detector import Detection, PersonDetector
from stages.tracking.appearance import Colours, likeness
from stages.tracking.pairing import SAME, contained

LOOK_EVERY_S = 0.2
TILES_EVERY_S = 0.4
"""How often the detector looks at the whole picture, and at its tiles too: somebody small who
passes within half a second is found."""
GONE = 0.5
"""Less than this, and nobody is in the crop (BlazePose's own)."""
THERE = 0.8
"""Of somebody new: they are followed from the first frame in which this much speaks for them."""
SURE = 0.75
"""Score of the detector that next to nothing but a person gets."""
IN_DOUBT_S = 1.0
"""As long as this, somebody is followed of whom the detector is not sure and who it does not find
again."""
FOUND_AGAIN = 0.2
"""Of a crop's side: as near as this, a detection is of the person who is followed there."""
PARTING = 0.25
"""Masks that share less than this of the smaller one are of two bodies for certain."""
FRAMES_KEPT = 16


@dataclass(eq=False)
class Tracklet:
    """One person over consecutive frames.

    found: scores of the detector, by the frames in which it found them.
    """

    sightings: dict[int, Sighting]
    found: dict[int, float] = field(default_factory=dict)

    @property
    def first(self) -> int:
        return min(self.sightings)

    @property
    def last(self) -> int:
        return max(self.sightings)

    def colours(self) -> Colours:
        """Mean over all frames."""
        return np.mean([each.colours for each in self.sightings.values()], axis=0)


def shared(a: Sighting, b: Sighting) -> float:
    """Share of the smaller of two masks, of one frame, that the other one covers."""
    # In a's pixels: the smaller mask may have few of them, which is exact enough.
    return contained(a.mask > 127, b.mask_in(a.crop) > 127) if a.crop.meets(b.crop) else 0.0


class Follower:
    """Finds and follows people; one object a video."""

    def __init__(
        self,
        detector: PersonDetector,
        estimator: Estimator,
        images: Sequence[ImageFile],
        times_s: Float[np.ndarray, " T"],
    ) -> None:
        self.detector, self.estimator, self.times_s = detector, estimator, times_s
        self.picture = lru_cache(FRAMES_KEPT)(lambda frame: read_image(images[frame].path))
        self.ended: list[Tracklet] = []
        self.followed: list[Tracklet] = []
        self.next_look_s = self.next_tiles_s = 0.0

    def run(self) -> list[Tracklet]:
        """The tracklets of the whole video."""
        for frame in range(len(self.times_s)):
            lost = self._follow(frame)
            self._part(frame)
            self._look(frame, lost)
        self.ended += self.followed
        return [each for each in self.ended if each.sightings]

    def _follow(self, frame: int) -> bool:
        """Follows everybody into a frame. Returns whether somebody was lost."""
        going_on = []
        known = {id(each): each.sightings[frame - 1] for each in self.followed}
        for tracklet in self.followed:
            before = known.pop(id(tracklet))
            others = [*known.values()]
            seen = self.estimator.settle(self.picture(frame), before.next_crop, others, before)
            if seen.score >= GONE:
                tracklet.sightings[frame] = seen
                known[id(tracklet)] = seen
                going_on.append(tracklet)
            else:
                self.ended.append(tracklet)
        lost = len(going_on) < len(self.followed)
        self.followed = going_on
        return lost

    def _part(self, frame: int) -> None:
        """Lets go of whoever has run into the place of somebody else who is followed."""
        for a in list(self.followed):
            for b in list(self.followed):
                if a is b or a not in self.followed or b not in self.followed:
                    continue
                if shared(a.sightings[frame], b.sightings[frame]) > SAME:
                    wrong, right = sorted((a, b), key=lambda each: fit(each, frame))
                    self.followed.remove(wrong)
                    self.ended.append(wrong)
                    back = frame
                    while back in wrong.sightings and back in right.sightings:
                        if shared(wrong.sightings[back], right.sightings[back]) < PARTING:
                            break
                        del wrong.sightings[back]
                        back -= 1

    def _look(self, frame: int, lost: bool) -> None:
        """Lets the detector look, where it is due, for people who are not followed yet."""
        now, image = self.times_s[frame], self.picture(frame)
        if now >= self.next_tiles_s:
            found = self.detector.tiles(image)
            self.next_tiles_s = now + TILES_EVERY_S
        elif lost or now >= self.next_look_s:
            found = self.detector.whole(image)
        else:
            return
        self.next_look_s = now + LOOK_EVERY_S
        for detection in found:
            known = next((e for e in self.followed if is_of(detection, e.sightings[frame])), None)
            if known is not None:
                known.found.setdefault(frame, detection.score)
            elif (seen := self._somebody(image, detection, frame)) is not None:
                new = Tracklet({frame: seen}, {frame: detection.score})
                self._follow_back(new)
                self.followed.append(new)
        doubtful = [
            each
            for each in self.followed
            if max(each.found.values()) < SURE and now - self.times_s[max(each.found)] > IN_DOUBT_S
        ]
        self.ended += doubtful
        self.followed = [each for each in self.followed if each not in doubtful]

    def _somebody(
        self, image: UInt8[np.ndarray, "H W 3"], detection: Detection, frame: int
    ) -> Sighting | None:
        """Who is where the detector found somebody; None if nobody, or somebody followed."""
        others = [tracklet.sightings[frame] for tracklet in self.followed]
        if self.estimator(image, detection.crop, others).score < GONE:
            return None
        seen = self.estimator.settle(image, detection.crop, others)
        if seen.score < THERE:
            return None
        return None if any(shared(seen, other) > SAME for other in others) else seen

    def _follow_back(self, tracklet: Tracklet) -> None:
        """Follows somebody back to where they are lost, or are followed already."""
        for frame in range(tracklet.first - 1, -1, -1):
            after = tracklet.sightings[frame + 1]
            others = [
                each.sightings[frame]
                for each in (*self.followed, *self.ended)
                if frame in each.sightings
            ]
            seen = self.estimator.settle(self.picture(frame), after.next_crop, others, after)
            if seen.score < GONE or any(shared(seen, other) > SAME for other in others):
                return
            tracklet.sightings[frame] = seen


def is_of(detection: Detection, seen: Sighting) -> bool:
    """Whether a detection is of the person who is followed."""
    found, known = detection.crop, seen.next_crop
    near = np.hypot(*(found.centre_px - known.centre_px)) < FOUND_AGAIN * known.side_px
    return bool(near and 0.6 < found.side_px / known.side_px < 1.6)


def fit(tracklet: Tracklet, frame: int) -> float:
    """How well somebody in a frame goes with what they were before: dressed alike, and near."""
    seen = tracklet.sightings[frame]
    before = [tracklet.sightings[at] for at in sorted(tracklet.sightings) if at < frame]
    if not before:
        return -1.0
    usual = np.mean([each.colours for each in before], axis=0)
    jump = np.hypot(*(seen.next_crop.centre_px - before[-1].next_crop.centre_px))
    return likeness(seen.colours, usual) - float(jump) / seen.crop.side_px
