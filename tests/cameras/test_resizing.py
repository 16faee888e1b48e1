"""Reconstruction pixels and original pixels are tied exactly, whatever the shape of the image."""

import numpy as np
import pytest

from stages.cameras.resizing import reconstruction_size

SHAPES = [(360, 640), (960, 540), (1080, 1920), (1000, 1000), (333, 517), (100, 180)]


@pytest.mark.parametrize("shape", SHAPES)
def test_the_long_side_is_512_and_both_sides_are_multiples_of_8(shape):
    made = reconstruction_size(*shape)
    assert max(made.height, made.width) == 512
    assert made.height % 8 == 0 and made.width % 8 == 0


@pytest.mark.parametrize("shape", SHAPES)
def test_the_outer_corners_of_the_pixels_map_to_each_other(shape):
    made = reconstruction_size(*shape)
    affine = made.affine_original_from_reconstruction
    corners = np.array([[-0.5, -0.5, 1], [made.width - 0.5, made.height - 0.5, 1]])
    height, width = shape
    np.testing.assert_allclose(
        corners @ affine.T, [[-0.5, -0.5], [width - 0.5, height - 0.5]], atol=1e-9
    )


def test_a_spot_lies_where_the_affine_map_says():
    made = reconstruction_size(1080, 1920)
    x0, y0 = 1200, 301
    y, x = np.mgrid[:1080, :1920]
    spot = 250 * np.exp(-((x - x0) ** 2 + (y - y0) ** 2) / (2 * 12**2))
    small = made.image(np.repeat(spot[..., None], 3, 2).astype(np.uint8))[..., 0].astype(float)
    rows, columns = np.mgrid[: made.height, : made.width]
    centre = np.array([(small * columns).sum(), (small * rows).sum(), small.sum()]) / small.sum()
    found = made.affine_original_from_reconstruction @ centre
    np.testing.assert_allclose(found, [x0, y0], atol=0.15)


@pytest.mark.parametrize("shape", SHAPES)
def test_a_point_projects_to_the_same_place_at_both_resolutions(shape):
    made = reconstruction_size(*shape)
    height, width = shape
    focal = 0.8 * max(shape)
    original = np.array([[focal, 0, (width - 1) / 2], [0, focal, (height - 1) / 2], [0, 0, 1]])
    point = np.array([0.3, -0.2, 2.0])
    here = made.intrinsic(focal) @ point
    there = original @ point
    mapped = made.affine_original_from_reconstruction @ (here / here[2])
    np.testing.assert_allclose(mapped, there[:2] / there[2], atol=1e-3)


def test_a_mask_keeps_its_place():
    made = reconstruction_size(360, 640)
    mask = np.zeros((360, 640), bool)
    mask[100:200, 300:400] = True
    rows, columns = np.nonzero(made.mask(mask))
    np.testing.assert_allclose(
        [rows.min(), rows.max() + 1, columns.min(), columns.max() + 1], [80, 160, 240, 320]
    )
