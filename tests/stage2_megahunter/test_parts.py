"""First guesses, gaps, depth samples, ground planes, smoothing, each where the answer is known."""

import numpy as np
import pytest

from stages.geometry.placement import first_scale, place_before_camera
from stages.geometry.rotations import matrix_from_rotvec, rotvec_from_matrix
from stages.people.ground import grounds_near
from stages.people.tracks import Cameras, Track
from stages.stage2_megahunter.gaps import fill_short_gaps
from stages.stage2_megahunter.smoothing import OneEuro, smooth_rotations, smooth_vectors
from stages.stage2_megahunter.surface_points import (
    inside_own_mask,
    sample_depths,
    without_outliers,
)
from stages.stage2_megahunter.terms import Observations, off_ground

K = np.array([[300.0, 0, 160], [0, 300.0, 90], [0, 0, 1]])


def track(detected):
    detected = np.array(detected, bool)
    T = len(detected)
    angles = np.linspace(0.0, 2.0, T)
    rotmats = np.tile(np.eye(3), (T, 24, 1, 1))
    rotmats[:, 5] = matrix_from_rotvec(angles[:, None] * [0, 1.0, 0])
    pixels = np.arange(T)[:, None, None] * np.ones((T, 18, 2))
    rotmats[~detected], pixels[~detected] = 0.0, 0.0
    return Track(
        1,
        detected,
        detected,
        pixels,
        np.ones((T, 18)),
        np.ones((T, 4)),
        rotmats,
        np.zeros(10),
        np.zeros((T, 2), bool),
    )


def filled(detected, times_s=None):
    given = track(detected)
    times_s = np.arange(len(given.valid)) / 30.0 if times_s is None else times_s
    return fill_short_gaps(given, times_s)


def test_a_short_gap_is_filled_along_the_arc():
    found = filled([1, 1, 0, 0, 0, 1, 1])
    assert found.valid.all()
    np.testing.assert_allclose(found.pixels[:, 0, 0], np.arange(7), atol=1e-9)
    turns = rotvec_from_matrix(found.rotmats[:, 5])[:, 1]
    np.testing.assert_allclose(turns, np.linspace(0, 2, 7), atol=1e-6)
    assert not found.detected[2:5].any()


def test_frames_of_a_gap_are_filled_where_their_times_are():
    found = filled([1, 0, 0, 1], np.array([0.0, 0.06, 0.08, 0.1]))
    np.testing.assert_allclose(found.pixels[:, 0, 0], [0.0, 1.8, 2.4, 3.0], atol=1e-9)
    turns = rotvec_from_matrix(found.rotmats[:, 5])[:, 1]
    np.testing.assert_allclose(turns, [0.0, 1.2, 1.6, 2.0], atol=1e-6)


@pytest.mark.parametrize("detected", [[1, 0, 0, 0, 0, 1], [1, 1, 1, 0, 0, 0], [0, 0, 1, 1, 1, 1]])
def test_a_long_gap_a_head_and_a_tail_are_not_invented(detected):
    np.testing.assert_array_equal(filled(detected).valid, np.array(detected, bool))


@pytest.mark.parametrize(("fps", "longest"), [(10.0, 1), (29.97, 3), (60.0, 6)])
def test_a_gap_is_short_up_to_a_tenth_of_a_second(fps, longest):
    def fills(missing):
        detected = [1, *[0] * missing, 1]
        return filled(detected, np.arange(len(detected)) / fps).valid.all()

    assert fills(longest) and not fills(longest + 1)


def test_a_keypoint_seen_on_one_side_of_a_gap_stays_unknown_inside():
    before = track([1, 0, 1])
    before.scores[0, 3] = 0.0
    assert fill_short_gaps(before, np.arange(3) / 30.0).scores[1, 3] == 0.0


def test_cameras_whose_times_do_not_increase_are_refused():
    with pytest.raises(ValueError, match="do not increase"):
        Cameras(K[None].repeat(2, 0), np.eye(4)[None].repeat(2, 0), np.eye(3)[:2], np.zeros(2))


def test_pixels_of_the_original_come_to_the_reconstruction_whatever_their_confidence():
    affine = np.array([[2.0, 0, 10], [0, 2.5, -4]])
    cameras = Cameras(K[None], np.eye(4)[None], affine, np.zeros(1))
    there = np.array([[3.0, 5.0], [100.0, 20.0]])
    np.testing.assert_allclose(
        cameras.to_reconstruction(there @ affine[:, :2].T + affine[:, 2]), there, atol=1e-9
    )


def test_depth_is_sampled_between_pixels_and_holes_do_not_pull():
    x, y = np.meshgrid(np.arange(40.0), np.arange(30.0))
    depth = 2.0 + 0.01 * x + 0.02 * y
    usable = np.ones(depth.shape, bool)
    usable[10:12, 10] = False
    depth[10:12, 10] = 0.0
    found = sample_depths(depth, usable, np.array([[20.3, 15.6], [10.0, 11.0]]), 0.15)
    assert found.depths[0] == pytest.approx(2.0 + 0.203 + 0.312, abs=1e-6)
    assert found.depths[1] == pytest.approx(2.32, abs=0.02)
    assert (found.trust > 0.95).all()


def test_a_keypoint_on_an_edge_or_outside_is_not_trusted():
    depth = np.full((30, 40), 2.0)
    depth[:, 20:] = 4.0
    pixels = np.array([[19.6, 15.0], [-3.0, 5.0], [np.nan, 3.0], [5.0, 5.0]])
    trust = sample_depths(depth, depth > 0, pixels, 0.15).trust
    np.testing.assert_array_equal(trust > 0, [False, False, False, True])


def test_a_point_far_from_the_others_is_an_outlier():
    points = np.random.default_rng(0).normal(0, 0.2, (18, 3))
    points[4] += 5.0
    kept = without_outliers(points, np.ones(18))
    assert kept[4] == 0.0
    assert (kept > 0).sum() >= 9


def test_only_keypoints_on_the_persons_own_mask_have_depth():
    ids = np.zeros((100, 200), np.uint16)
    ids[20:80, 50:90], ids[20:80, 100:140] = 1, 2
    pixels = np.array([[60.0, 50.0], [120.0, 50.0], [10.0, 10.0], [300.0, 50.0]])
    np.testing.assert_array_equal(inside_own_mask(ids, 1, pixels), [True, False, False, False])
    np.testing.assert_array_equal(inside_own_mask(ids, 2, pixels), [False, True, False, False])


def floor_with_a_step(step_m):
    """A camera 1.5 above a floor, looking 20 degrees down; a step rises 4 before it."""
    x, y = np.meshgrid(np.arange(320.0), np.arange(180.0))
    rays = np.stack([(x - 160) / 300, (y - 90) / 300, np.ones_like(x)], -1)
    tilt = matrix_from_rotvec(np.array([-np.deg2rad(20), 0, 0]))
    down = rays @ tilt.T
    with np.errstate(divide="ignore"):
        floor = np.where(down[..., 1] > 0, 1.5 / down[..., 1], 20.0)
        riser = 4.0 / down[..., 2]
        tread = np.where(down[..., 1] > 0, (1.5 - step_m) / down[..., 1], 20.0)
    depth = np.where(
        floor * down[..., 2] < 4.0,
        floor,
        np.where(riser * down[..., 1] > 1.5 - step_m, riser, tread),
    )
    return depth, tilt.T @ [0, -1.0, 0]


def test_the_floor_under_a_foot_is_found():
    depth, up = floor_with_a_step(0.0)
    (plane, *_) = grounds_near(depth, depth < 15, K, np.array([160.0, 120.0]), 12.0, up)
    assert plane.normal @ up > 0.999
    assert plane.point @ up == pytest.approx(-1.5, abs=0.01)


def test_at_the_edge_of_a_step_both_levels_are_offered():
    depth, up = floor_with_a_step(0.3)
    tread = int(np.flatnonzero(np.abs(np.diff(depth[:, 160], 2)) > 0.02)[-1])
    offered = [
        {round(float(plane.point @ up), 1) for plane in found}
        for row in range(tread - 12, tread + 6)
        if (found := grounds_near(depth, depth < 15, K, np.array([160.0, row]), 16.0, up))
    ]
    assert {-1.5, -1.2} in offered


def test_without_static_points_there_is_no_ground():
    depth, up = floor_with_a_step(0.0)
    assert grounds_near(depth, np.zeros(depth.shape, bool), K, np.array([160.0, 120]), 12, up) == []


def test_a_body_is_placed_where_its_keypoints_are_despite_outliers():
    rng = np.random.default_rng(1)
    offsets = rng.normal(0, 0.4, (5, 18, 3))
    true = np.array([0.3, -0.2, 4.0]) + rng.normal(0, 0.3, (5, 3))
    points = offsets + true[:, None]
    rays = points / points[..., 2:]
    rays[:, :6, :2] += rng.normal(0, 0.2, (5, 6, 2))
    found = place_before_camera(offsets, rays, np.ones((5, 18)))
    assert np.abs(found - true).max() < 0.15


def test_a_frame_without_keypoints_takes_the_place_of_its_neighbour():
    offsets = np.random.default_rng(1).normal(0, 0.4, (2, 18, 3))
    points = offsets + np.array([0, 0, 3.0])
    rays = points / points[..., 2:]
    weights = np.array([[1.0] * 18, [0.0] * 18])
    found = place_before_camera(offsets, rays, weights)
    np.testing.assert_allclose(found, [[0, 0, 3.0]] * 2, atol=1e-6)


def test_the_scale_is_that_which_most_pairs_agree_on():
    rng = np.random.default_rng(2)
    reconstructed = rng.uniform(1, 3, 100)
    metric = 2.5 * reconstructed * (1 + 0.02 * rng.normal(size=100))
    metric[:55] *= rng.uniform(0.2, 5.0, 55)
    assert first_scale(metric, reconstructed, np.ones(100)) == pytest.approx(2.5, rel=0.02)
    assert first_scale(metric, reconstructed, np.zeros(100)) is None


def test_smoothing_leaves_what_stands_still_and_has_no_delay():
    still = np.tile([1.0, 2.0, 3.0], (20, 1))
    np.testing.assert_allclose(smooth_vectors(still, np.arange(20) / 30.0), still)
    peak = np.exp(-0.5 * ((np.arange(61) - 30) / 6.0) ** 2)[:, None] * np.ones(3)
    smooth = smooth_vectors(peak, np.arange(61) / 30.0)
    np.testing.assert_allclose(smooth, smooth[::-1], atol=1e-9)
    assert smooth[:, 0].argmax() == 30


def test_smoothing_goes_by_the_clock_not_by_the_count_of_frames():
    times_s = np.arange(91) / 30.0
    kept = np.sort(np.r_[np.arange(0, 46, 3), np.arange(46, 91)])  # 10 a second, then 30

    def swing(t):
        return np.sin(2 * np.pi * 1.5 * t)[:, None]

    plain = smooth_vectors(swing(times_s), times_s)[kept]
    uneven = smooth_vectors(swing(times_s[kept]), times_s[kept])
    counted = smooth_vectors(swing(times_s[kept]), np.arange(len(kept)) / 30.0)
    assert np.abs(uneven - plain).max() < 0.05
    assert np.abs(counted - plain).max() > 0.1

    def turning(t):
        return matrix_from_rotvec(swing(t)[..., None] * np.array([0, 0, 1.0]))

    plain = smooth_rotations(turning(times_s), times_s)[kept]
    uneven = smooth_rotations(turning(times_s[kept]), times_s[kept])
    assert (
        np.linalg.norm(rotvec_from_matrix(np.swapaxes(plain, -1, -2) @ uneven), axis=-1).max()
        < 0.05
    )


def test_smoothed_rotations_are_rotations_and_less_noisy():
    rng = np.random.default_rng(3)
    angles = np.linspace(-4.0, 4.0, 80)  # through half a turn, where rotation vectors jump
    true = matrix_from_rotvec(angles[:, None, None] * np.array([[0, 0, 1.0]]))
    noisy = true @ matrix_from_rotvec(0.1 * rng.normal(size=(80, 1, 3)))
    smooth = smooth_rotations(noisy, np.arange(80) / 30.0, OneEuro(1.5, 0.1))
    np.testing.assert_allclose(
        smooth @ np.swapaxes(smooth, -1, -2),
        np.eye(3)[None, None] * np.ones((80, 1, 1, 1)),
        atol=1e-9,
    )

    def error(R):
        return np.linalg.norm(rotvec_from_matrix(np.swapaxes(true, -1, -2) @ R), axis=-1)[10:-10]

    assert error(smooth).mean() < 0.7 * error(noisy).mean()


def test_a_sole_in_contact_is_held_to_the_ground_and_another_only_kept_from_under_it():
    level, blank = np.array([[0.0, 0.0, 1.0]] * 2), dict.fromkeys(Observations._fields)
    seen = Observations(
        **blank
        | {"ground_point": np.zeros((2, 3)), "ground_normal": level, "contacts": np.array([1.0, 0])}
    )
    heights_m = np.array([0.02, -0.02, 0.05, -0.03])
    soles = np.column_stack([np.zeros((4, 2)), heights_m])
    rows = off_ground(soles, np.array(1.0), seen)
    np.testing.assert_allclose(rows[:, 0], [0.02, -0.02, 0.0, -0.02], atol=1e-7)
