"""One id a pixel, and masks without specks."""

import numpy as np

from stages.stage0_blazepose.masks import cleaned, id_map
from tests.blazepose.people import sighting

SIZE = (100, 120)


def square(value: int, left: int = 64) -> np.ndarray:
    """A mask of a crop, half as wide and as high as it."""
    mask = np.zeros((256, 256), np.uint8)
    mask[64:192, left : left + 128] = value
    return mask


def test_the_surer_one_has_the_pixel():
    seen = {3: sighting(50, mask=square(255)), 5: sighting(70, mask=square(160))}
    ids = id_map(seen, SIZE)
    assert ids.dtype == np.uint16
    assert ids[50, [24, 30, 60, 74, 80, 94, 98]].tolist() == [0, 3, 3, 3, 5, 5, 0]


def test_what_speaks_for_nobody_is_background():
    assert not id_map({1: sighting(mask=square(120))}, SIZE).any()
    assert id_map({}, SIZE).shape == SIZE


def test_specks_go_and_small_holes_are_filled_and_large_ones_stay():
    mask = np.zeros((100, 100), bool)
    mask[20:80, 20:80] = True
    mask[2:5, 2:5] = True
    mask[30:33, 30:33] = False
    mask[50:70, 50:70] = False
    clean = cleaned(mask)
    assert not clean[3, 3] and clean[31, 31] and not clean[60, 60]
    mask[2:5, 2:5], mask[30:33, 30:33] = False, True
    np.testing.assert_array_equal(clean, mask)


def test_a_part_that_is_large_enough_stays():
    mask = np.zeros((60, 60), bool)
    mask[:, :20] = mask[:20, 40:] = True
    np.testing.assert_array_equal(cleaned(mask), mask)


def test_what_is_open_to_the_outside_is_no_hole():
    mask = np.ones((100, 100), bool)
    mask[0:5, 50:55] = False
    np.testing.assert_array_equal(cleaned(mask), mask)
