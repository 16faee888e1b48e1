"""Where cameras look, and what they see."""

import numpy as np
import pytest

from stages.drawing.camera import framing, from_side, looking_at

SIZE = (120, 200)
EYE, TARGET = np.array([3.0, -2.0, 1.5]), np.array([0.0, 1.0, 0.5])


def test_the_target_is_in_the_middle_and_up_is_up():
    above = TARGET + np.array([0, 0, 0.3])
    pixels, depth = looking_at(EYE, TARGET, SIZE).project(np.stack([TARGET, above]))
    np.testing.assert_allclose(pixels[0], [99.5, 59.5], atol=1e-9)
    assert abs(pixels[1, 0] - 99.5) < 1e-9
    assert pixels[1, 1] < 50
    np.testing.assert_allclose(depth[0], np.linalg.norm(TARGET - EYE))


def test_the_angle_of_view_is_that_of_the_longer_side():
    directions = looking_at(EYE, TARGET, SIZE, fov_deg=60).directions().reshape(*SIZE, 3)
    left, right = directions[60, 0], directions[60, -1]
    cosine = left @ right / np.linalg.norm(left) / np.linalg.norm(right)
    assert np.degrees(np.arccos(cosine)) == pytest.approx(60, abs=0.5)


def test_a_ray_through_a_pixel_meets_what_that_pixel_shows():
    camera = looking_at(EYE, TARGET, SIZE)
    pixels, depth = camera.project(camera.eye + 2.5 * camera.directions())
    y, x = np.divmod(np.arange(SIZE[0] * SIZE[1]), SIZE[1])
    np.testing.assert_allclose(pixels, np.column_stack([x, y]), atol=1e-9)
    np.testing.assert_allclose(depth, 2.5)


def test_finer_pixels_lie_around_the_middle_of_the_coarse_one():
    camera = looking_at(EYE, TARGET, SIZE)
    fine = camera.scaled(2).directions().reshape(SIZE[0], 2, SIZE[1], 2, 3).mean((1, 3))
    np.testing.assert_allclose(fine.reshape(-1, 3), camera.directions(), atol=1e-12)


def test_what_is_behind_the_camera_has_no_pixel():
    pixels, depth = looking_at(EYE, TARGET, SIZE).project((2 * EYE - TARGET)[None])
    assert np.isnan(pixels).all()
    assert depth[0] < 0


@pytest.mark.parametrize("size", [(120, 200), (200, 120)])
@pytest.mark.parametrize("azimuth_deg", [0, 130, 250])
def test_framing_shows_all_points_and_wastes_little(size, azimuth_deg):
    points = np.random.default_rng(0).uniform([-2, -1, 0], [2, 1, 1.8], (200, 3))
    pixels, depth = framing(points, from_side(azimuth_deg, 20), size).project(points)
    half = np.array([size[1], size[0]]) / 2
    share = abs(pixels + 0.5 - half) / half
    assert (depth > 0).all()
    assert 0.85 < share.max() < 1


def test_somebody_at_an_azimuth_looks_back_from_there():
    np.testing.assert_allclose(from_side(90, 0), [0, -1, 0], atol=1e-12)
    assert from_side(0, 30)[2] == pytest.approx(-0.5)
