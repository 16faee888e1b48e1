"""Sightings made by hand."""

from dataclasses import replace

import numpy as np

from stages.blazepose.crops import Crop
from stages.blazepose.landmarks import BODY, SIZE
from stages.blazepose.sightings import Sighting, packed

SIDE_PX = 100.0


def dressed(shade: int) -> np.ndarray:
    """Colours of somebody all in one shade."""
    colours = np.zeros((2, 64))
    colours[:, shade] = 0.5
    return colours


def sighting(x: float = 50.0, shade: int = 0, mask: np.ndarray | None = None, **other) -> Sighting:
    """Somebody at x, upright; the left side of the body is on the right of the picture."""
    crop = Crop(np.array([x, 50.0]), SIDE_PX)
    points = np.zeros((BODY, 3))
    points[:, 0] = x + 10.0 * np.where(np.arange(BODY) % 2, 1, -1)
    points[:, 1] = np.linspace(10, 90, BODY)
    plain = Sighting(
        crop=crop,
        next_crop=crop,
        score=1.0,
        points_px=points,
        world_m=points / 50,
        visibility=np.linspace(0.5, 1, BODY),
        presence=np.ones(BODY),
        colours=dressed(shade),
        packed_mask=packed(np.zeros((SIZE, SIZE), np.uint8) if mask is None else mask),
    )
    return replace(plain, **other)
