"""A clip for the stages of stage 0: frames on disk and one person who walks through them."""

from pathlib import Path

import numpy as np

from stages.artifacts import layout
from stages.artifacts.images import write_image
from stages.artifacts.masks import PersonLabel, summarise, write_frame, write_summary

HEIGHT_PX, WIDTH_PX = 1080, 1920
PERSON = 1
VIDEO = "walk"
RESULTS = "results"
"""The folder that a stage writes to."""


def write_clip(data: Path, frames: int) -> None:
    """Smooth noise behind a noisy person of 600 by 240 pixels, as JPEGs; masks and boxes."""
    random = np.random.default_rng(0)
    coarse = random.integers(0, 255, (HEIGHT_PX // 8, WIDTH_PX // 8, 3), np.uint8)
    place = np.kron(coarse, np.ones((8, 8, 1), np.uint8))
    person = random.integers(0, 255, (600, 240, 3), np.uint8)
    images = data / layout.IMAGES / VIDEO / layout.CAMERA
    masks = data / layout.MASKS / VIDEO / layout.CAMERA
    labels: list[dict[int, PersonLabel]] = []
    for index in range(frames):
        left = 100 + index * (WIDTH_PX - 500) // frames
        picture, ids = place.copy(), np.zeros(place.shape[:2], np.uint16)
        picture[300:900, left : left + 240] = person
        ids[300:900, left : left + 240] = PERSON
        name = f"{index + 1:05d}"
        write_image(images / f"{name}.jpg", picture)
        labels.append(write_frame(masks, name, ids, {PERSON: 0.9}))
    write_summary(masks, summarise(labels))
