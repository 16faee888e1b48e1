"""Squares of the picture: where their pixels lie, and who is painted over."""

import numpy as np
import pytest

from stages.blazepose.crops import (
    Crop,
    crop_of_body,
    crop_of_box,
    cut,
    moved,
    painted_over,
)


def blob(x: float, y: float, size: int = 200) -> np.ndarray:
    """A picture with one soft white spot."""
    rows, columns = np.mgrid[:size, :size]
    bright = 255 * np.exp(-((columns - x) ** 2 + (rows - y) ** 2) / 18)
    return np.repeat(bright[..., None], 3, axis=2).astype(np.uint8)


def middle_of(picture: np.ndarray) -> np.ndarray:
    weights = picture[..., 0].astype(float)
    rows, columns = np.mgrid[: len(picture), : len(picture)]
    return np.array([(columns * weights).sum(), (rows * weights).sum()]) / weights.sum()


@pytest.mark.parametrize("turn", [0.0, 0.7, -2.5])
@pytest.mark.parametrize("side", [64.0, 90.0])
def test_what_is_seen_in_a_crop_is_where_it_is_in_the_picture(turn, side):
    crop = Crop(np.array([95.0, 110.0]), side, turn)
    seen = middle_of(cut(blob(101.25, 103.5), crop, 128))
    # A network counts from the corner of its picture: half a pixel before the first one's middle.
    np.testing.assert_allclose(crop.to_image(seen[None] + 0.5, 128)[0], [101.25, 103.5], atol=0.05)


def test_a_crop_has_the_hips_in_its_middle_and_the_head_up():
    hips, head = np.array([100.0, 100.0]), np.array([140.0, 100.0])
    crop = crop_of_body(hips, head)
    assert crop.side_px == pytest.approx(100.0), "twice the radius and a quarter"
    seen = middle_of(cut(blob(*head), crop, 200))
    np.testing.assert_allclose(seen + 0.5, [100.0, 20.0], atol=0.2)


def test_a_crop_of_a_box_has_all_of_it_in_its_middle():
    crop = crop_of_box((100, 20, 139, 179))
    np.testing.assert_allclose(crop.centre_px, [119.5, 99.5])
    assert (crop.side_px, crop.turn_rad) == (200.0, 0.0)


def test_a_crop_that_is_elsewhere_or_of_another_size_has_moved():
    crop = Crop(np.array([50.0, 50.0]), 100.0)
    assert not moved(crop, Crop(np.array([53.0, 52.0]), 104.0, 1.0))
    assert moved(crop, Crop(np.array([53.0, 57.0]), 100.0))
    assert moved(crop, Crop(np.array([50.0, 50.0]), 120.0))


def test_crops_meet_where_their_corners_can():
    crop = Crop(np.array([0.0, 0.0]), 100.0)
    assert crop.meets(Crop(np.array([90.0, 90.0]), 100.0))
    assert not crop.meets(Crop(np.array([150.0, 0.0]), 100.0))


def test_somebody_who_is_painted_over_becomes_what_is_around_them():
    picture = np.zeros((256, 256, 3), np.uint8)
    picture[:] = (90, 120, 60)
    mask = np.zeros((256, 256), bool)
    mask[30:230, 60:190] = True
    picture[mask] = (250, 10, 10)
    assert (painted_over(picture, mask) == (90, 120, 60)).all()


def test_what_is_far_from_them_stays_as_it_is():
    picture = np.random.default_rng(1).integers(0, 255, (256, 256, 3)).astype(np.uint8)
    mask = np.zeros((256, 256), bool)
    mask[100:120, 100:120] = True
    painted = painted_over(picture, mask)
    assert (painted != picture).any(-1).sum() <= 30 * 30
    np.testing.assert_array_equal(painted[:90], picture[:90])
    np.testing.assert_array_equal(painted_over(picture, mask & False), picture)
