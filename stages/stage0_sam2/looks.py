"""The detector's looks at a video: read ahead and, on a GPU, several at once."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np
from jaxtyping import Float, UInt8

from stages.artifacts.images import ImageFile, read_image
from stages.running.overlap import ahead
from stages.stage0_sam2.detector import Detection, PersonDetector

STEP = 20
"""Frames from one look to the next, as in the original, of a video of 30 a second."""
EVERY_S = STEP / 30
MOST_FRAMES = 2 * STEP
"""From one look to the next, however many there are a second: so many are held in memory."""
AT_ONCE = {"cuda": 4, "cpu": 1}
"""Of pictures that the detector takes at once: a GPU is busy with so many."""


@dataclass(frozen=True)
class Look:
    """Everybody whom the detector sees in an image."""

    image: UInt8[np.ndarray, "H W 3"]
    detections: list[Detection]


def look_step(times_s: Float[np.ndarray, " T"]) -> int:
    """Frames from one look to the next, in a video whose frames were taken at some times."""
    if len(times_s) < 2:
        return 1
    return int(np.clip(round(EVERY_S / float(np.median(np.diff(times_s)))), 1, MOST_FRAMES))


def look_at(detector: PersonDetector, image: ImageFile) -> Look:
    """A look at one image."""
    picture = read_image(image.path)
    (found,) = detector(detector.prepared(picture)[None], picture.shape[:2])
    return Look(picture, found)


def looks(
    detector: PersonDetector, images: Sequence[ImageFile], step: int = STEP
) -> Iterator[Look]:
    """A look at every `step`-th image, in order."""

    def read(image: ImageFile) -> tuple[np.ndarray, np.ndarray]:
        picture = read_image(image.path)
        return picture, detector.prepared(picture)

    def detect(batch: list[tuple[np.ndarray, np.ndarray]]) -> list[Look]:
        pictures = [picture for picture, _ in batch]
        found = detector(np.stack([small for _, small in batch]), pictures[0].shape[:2])
        return [Look(*each) for each in zip(pictures, found, strict=True)]

    at_once = AT_ONCE[detector.device.type]
    pairs = ahead(read, images[::step], 2 * at_once)
    batches = iter(lambda: list(islice(pairs, at_once)), [])
    # The network waits for its own numbers on the way: on another thread, one batch early.
    for found in ahead(detect, batches, 1):
        yield from found
