"""People in one colour each, in pictures made by hand."""

import numpy as np

from stages.tracking.appearance import colours_of

RED, BLUE = (200, 30, 30), (30, 30, 200)


def block(left: int, width: int = 10, height: int = 20) -> np.ndarray:
    """A picture of 40 x 60 with one upright block, from column `left`."""
    mask = np.zeros((40, 60), bool)
    mask[10 : 10 + height, left : left + width] = True
    return mask


def dressed(mask: np.ndarray, colour: tuple[int, int, int]) -> np.ndarray:
    image = np.full((*mask.shape, 3), 128, np.uint8)
    image[mask] = colour
    return colours_of(image, mask)
