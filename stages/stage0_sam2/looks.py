"""The detector's looks at a video: read ahead and, on a GPU, several at once."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np
from jaxtyping import UInt8

from stages.artifacts.images import ImageFile, read_image
from stages.running.overlap import ahead
from stages.stage0_sam2.detector import Detection, PersonDetector

STEP = 20
"""Frames from one look to the next."""
AT_ONCE = {"cuda": 4, "cpu": 1}
"""Of pictures that the detector takes at once: a GPU is busy with so many."""


@dataclass(frozen=True)
class Look:
    """Everybody whom the detector sees in an image."""

    image: UInt8[np.ndarray, "H W 3"]
    detections: list[Detection]


def looks(detector: PersonDetector, images: Sequence[ImageFile]) -> Iterator[Look]:
    """A look at every 20th image, in order."""

    def read(image: ImageFile) -> tuple[np.ndarray, np.ndarray]:
        picture = read_image(image.path)
        return picture, detector.prepared(picture)

    def detect(batch: list[tuple[np.ndarray, np.ndarray]]) -> list[Look]:
        pictures = [picture for picture, _ in batch]
        found = detector(np.stack([small for _, small in batch]), pictures[0].shape[:2])
        return [Look(*each) for each in zip(pictures, found, strict=True)]

    at_once = AT_ONCE[detector.device.type]
    pairs = ahead(read, images[::STEP], 2 * at_once)
    batches = iter(lambda: list(islice(pairs, at_once)), [])
    # The network waits for its own numbers on the way: on another thread, one batch early.
    for found in ahead(detect, batches, 1):
        yield from found
