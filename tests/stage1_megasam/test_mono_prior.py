"""Relative disparity gets the scale of metric depth, one for the whole video."""

import numpy as np
import pytest
import torch

from stages.stage1_megasam.mono_prior import (
    MonoAlignment,
    align,
    cell_disparity,
    focal_px,
    tracker_disparity,
)

SCALE, SHIFT = 0.05, 0.02


def relative(frames: int = 5) -> np.ndarray:
    return np.random.default_rng(0).uniform(0.5, 10, (frames, 20, 30))


def metric_depth(disparity: np.ndarray) -> np.ndarray:
    return 1 / (SCALE * disparity + SHIFT)


def assert_found(found: MonoAlignment, scale: float = SCALE, shift: float = SHIFT) -> None:
    assert (found.scale, found.shift) == pytest.approx((scale, shift), rel=1e-4)


def test_scale_and_shift_are_found_among_outliers() -> None:
    given = relative()
    depth = metric_depth(given)
    depth[:, 0] = 0.3
    found = align(given, depth)
    assert (found.scale, found.shift) == pytest.approx((SCALE, SHIFT), abs=2e-3)


def test_near_places_have_disparity_two() -> None:
    given = relative()
    found = tracker_disparity(given, align(given, metric_depth(given)))
    assert np.percentile(found, 98) == pytest.approx(2, rel=1e-4)


def test_depth_over_the_unit_is_metres() -> None:
    given = relative()
    alignment = align(given, metric_depth(given))
    tracker_depth = 1 / tracker_disparity(given, alignment)
    np.testing.assert_allclose(tracker_depth / alignment.unit, metric_depth(given), rtol=1e-4)


def test_frames_of_another_scale_do_not_count() -> None:
    given = relative()
    depth = metric_depth(given)
    depth[0] *= 3
    depth[1] /= 3
    assert_found(align(given, depth))


def test_sky_that_fills_most_of_the_frames_does_not_count() -> None:
    given = relative()
    depth = metric_depth(given)
    given[:, :13] = 0.005
    depth[:, :13] = 80.0
    assert_found(align(given, depth))


def test_sky_that_the_metric_network_puts_near_is_far() -> None:
    given = relative()
    depth = metric_depth(given)
    given[:, :8] = 0.0
    depth[:, :8] = 1.0
    found = align(given, depth)
    assert (found.scale, found.shift) == pytest.approx((SCALE, SHIFT), rel=0.05)


def test_disparity_that_grows_with_depth_is_refused() -> None:
    given = relative()
    with pytest.raises(ValueError, match="no common scale"):
        align(given, 1 / metric_depth(given))


def test_what_is_too_near_is_unknown_and_what_is_too_far_is_cut() -> None:
    plain = MonoAlignment(1.0, 0.0, 1.0)
    found = tracker_disparity(np.array([[[-1.0, 0.5, 101.0]]]), plain)
    np.testing.assert_allclose(found, [[[1e-4, 0.5, 0.0]]])


def test_a_cell_has_the_mean_depth_of_its_known_pixels() -> None:
    pixels = torch.zeros(1, 8, 16)
    pixels[0, :4, :8], pixels[0, 4:6, :8] = 1 / 2.0, 1 / 8.0
    assert cell_disparity(pixels)[0, 0].tolist() == pytest.approx([1 / 4.0, 0.0])


def test_the_focal_is_that_of_the_median_field_of_view() -> None:
    assert focal_px(np.array([90.0, 60.0, 170.0]), 640) == pytest.approx(320)
