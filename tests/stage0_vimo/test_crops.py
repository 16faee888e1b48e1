"""The crop rule, against the original's crops and on its own claims."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter1d, map_coordinates

from stages.stage0_vimo.crops import (
    crop,
    crop_corners,
    crop_geometry,
    normalise,
    picture_center_px,
    picture_focal_px,
    resize_matrix,
)

Golden = dict[str, np.ndarray]


def test_crops_equal_the_originals_to_a_grey_level(vimo_golden: Golden) -> None:
    where = crop_geometry(vimo_golden["crop_boxes"])
    np.testing.assert_allclose(where.center_px, vimo_golden["crop_center"], rtol=1e-6)
    np.testing.assert_allclose(where.size_px, 200 * vimo_golden["crop_scale"], rtol=1e-6)
    for i in range(len(where.size_px)):
        corners = crop_corners(where.center_px[i], where.size_px[i])
        np.testing.assert_array_equal(corners, vimo_golden["crop_corners"][i])
        ours = crop(vimo_golden["image_u8"], where.center_px[i], where.size_px[i])
        difference = ours.numpy().astype(int) - vimo_golden["crop_u8"][i]
        assert np.abs(difference).max() <= 1
        middle = normalise(ours[None])[0, :, 96:160:4, 96:160:4]
        assert np.abs(middle.numpy() - vimo_golden["crop_norm_slice"][i]).max() < 1.01 / 255 / 0.224


def test_focal_and_centre_are_the_pictures_diagonal_and_half_size(vimo_golden: Golden) -> None:
    height, width = vimo_golden["image_u8"].shape[:2]
    assert picture_focal_px(height, width) == vimo_golden["crop_focal"][0]
    assert picture_center_px(height, width) == tuple(vimo_golden["crop_imgcenter"][0])


def test_what_lies_outside_the_picture_is_black() -> None:
    white = np.full((100, 100, 3), 255, np.uint8)
    ours = crop(white, np.array([100.0, 50.0]), 80.0)
    assert (ours[:, :120] == 255).all()
    assert (ours[:, 136:] == 0).all()


def test_a_crop_that_misses_the_picture_is_black() -> None:
    white = np.full((50, 50, 3), 255, np.uint8)
    assert not crop(white, np.array([500.0, 500.0]), 40.0).any()


@pytest.mark.parametrize("source", [40, 255, 256, 257, 300, 719, 1500])
def test_resizing_is_scikit_images_smoothing_and_bilinear_rule(source: int) -> None:
    step = source / 256
    smooth = np.eye(source)
    if step > 1:
        smooth = gaussian_filter1d(smooth, (step - 1) / 2, axis=0, mode="mirror")
    at = (np.arange(256) + 0.5) * step - 0.5
    places = np.stack(np.broadcast_arrays(at[:, None], np.arange(source)[None]))
    rows = map_coordinates(smooth, places, order=1, mode="mirror")
    np.testing.assert_allclose(resize_matrix(source), rows, atol=1e-6)
