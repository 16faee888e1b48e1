"""What the landmark network gives: points, directions, masks; and how two looks become one."""

import cv2
import numpy as np
import pytest

from stages.blazepose.crops import Crop
from stages.blazepose.keypoints import POINT_OF
from stages.blazepose.landmarks import MIRRORED, Landmarks, mean, refined
from stages.blazepose.sightings import combined
from stages.evaluation.clip import iou
from stages.stage0_blazepose.masks import id_map
from tests.blazepose.people import sighting

BODY_KEYPOINTS = [*range(5, 18), 19, 20, 22]


def landmarks(points: np.ndarray, score: float = 1.0) -> Landmarks:
    unit = np.full(39, 0.5)
    return Landmarks(points, points / 100, unit, unit, np.zeros((256, 256)), score)


@pytest.fixture(scope="module")
def seen(detector, estimator, stairs):
    image = stairs.pictures[0]
    return estimator.settle(image, detector.whole(image)[0].crop)


def test_points_lie_on_the_demos_person(seen, stairs):
    true = stairs.truth.keypoints_px[0, stairs.numbers[0]][BODY_KEYPOINTS]
    ours = seen.points_px[[POINT_OF[keypoint] for keypoint in BODY_KEYPOINTS], :2]
    errors = np.linalg.norm(ours - true, axis=1) / stairs.height_px(0)
    assert np.median(errors) < 0.03
    assert seen.score > 0.95


def test_the_mask_is_the_demos_person(seen, stairs):
    ids = id_map({1: seen}, stairs.pictures[0].shape[:2])
    assert iou(ids == 1, stairs.masks[0]) > 0.9


def test_the_next_crop_is_where_the_person_is(seen, stairs):
    hips = stairs.truth.keypoints_px[0, stairs.numbers[0], 11:13].mean(0)
    assert np.hypot(*(seen.next_crop.centre_px - hips)) < 0.05 * stairs.height_px(0)


def test_directions_are_those_of_the_picture_however_it_is_turned(
    seen, detector, estimator, stairs
):
    # A quarter turn clockwise takes x to y, and y to -x.
    image = np.ascontiguousarray(np.rot90(stairs.pictures[0], -1))
    lying = estimator.settle(image, detector.whole(image)[0].crop)
    expected = seen.world_m @ np.array([[0, 1, 0], [-1, 0, 0], [0, 0, 1]])
    assert np.linalg.norm(lying.world_m - expected, axis=1).mean() < 0.06
    assert np.linalg.norm(seen.world_m - expected, axis=1).mean() > 0.5


def test_a_person_in_a_mirror_has_left_and_right_changed(seen, detector, estimator, stairs):
    image = np.ascontiguousarray(stairs.pictures[0][:, ::-1])
    other = estimator.settle(image, detector.whole(image)[0].crop)
    order = MIRRORED[:33]
    expected = seen.points_px[order, :2] * [-1, 1] + [image.shape[1] - 1, 0]
    errors = np.linalg.norm(other.points_px[:, :2] - expected, axis=1)
    assert np.median(errors) < 0.03 * stairs.height_px(0)


def test_somebody_painted_over_is_gone(seen, estimator, stairs):
    again = estimator(stairs.pictures[0], seen.next_crop, [seen])
    assert again.score < 0.5


def test_a_crop_beside_the_person_settles_on_them(seen, estimator, stairs):
    away = Crop(seen.crop.centre_px + 0.2 * seen.crop.side_px, seen.crop.side_px)
    back = estimator.settle(stairs.pictures[0], away)
    assert np.hypot(*(back.next_crop.centre_px - seen.next_crop.centre_px)) < 0.05 * away.side_px


def test_clothes_are_counted_above_and_below_the_hips(seen):
    assert seen.colours.shape == (2, 64)
    assert seen.colours.sum() == pytest.approx(1)
    assert (seen.colours.sum(1) > 0.3).all()


def test_a_point_moves_to_the_middle_of_the_heat_around_it():
    heat = np.full((64, 64, 3), -20.0, np.float32)
    heat[30, 20:22] = 20
    heat[5, 5, 2] = -1
    places = np.array([[84.0, 124.0], [84.0, 124.0], [20.0, 20.0]])
    moved = refined(places, heat[..., [0, 1, 2]])
    np.testing.assert_allclose(moved[0], [82, 120], atol=1e-3)
    np.testing.assert_allclose(moved[2], places[2]), "too little heat"


def test_a_point_outside_of_the_crop_stays():
    heat = np.full((64, 64, 1), 20.0, np.float32)
    np.testing.assert_allclose(refined(np.array([[-9.0, 100.0]]), heat), [[-9, 100]])


def test_two_looks_that_agree_become_their_mean_and_others_do_not():
    a, crop = (
        np.random.default_rng(0).uniform(50, 200, (39, 3)),
        Crop(np.array([128.0, 128]), 256.0),
    )
    near, far = landmarks(a + 6, 0.5), landmarks(a + 60, 0.5)
    both = combined(landmarks(a), near, crop, None)
    np.testing.assert_allclose(both.points, a + 3)
    assert both.score == 0.75
    before = sighting(points_px=a[:33] + 55)
    assert combined(landmarks(a), far, crop, before) is far
    before = sighting(points_px=a[:33] + 5)
    assert combined(landmarks(a), far, crop, before).points is a


def test_the_mean_takes_everything_in_halves():
    a, b = landmarks(np.zeros((39, 3))), landmarks(np.ones((39, 3)), 0.0)
    assert mean(a, b).score == 0.5
    np.testing.assert_allclose(mean(a, b).world_m, 0.005)


def test_a_mirror_undoes_itself():
    look = landmarks(np.random.default_rng(0).uniform(0, 256, (39, 3)))
    np.testing.assert_allclose(look.unmirrored().unmirrored().points, look.points)
    assert sorted(MIRRORED) == list(range(39))


def test_masks_are_seen_from_other_crops():
    mask = np.zeros((256, 256), np.uint8)
    mask[96:160, 96:160] = 255
    seen = sighting(mask=mask)
    larger = Crop(seen.crop.centre_px, 2 * seen.crop.side_px)
    rows, columns = np.nonzero(seen.mask_in(larger) > 127)
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (112, 143, 112, 143)
    beside = Crop(seen.crop.centre_px + np.array([25, 0]), seen.crop.side_px)
    assert cv2.moments(seen.mask_in(beside))["m10"] == pytest.approx(
        cv2.moments(np.roll(mask, -64, 1))["m10"], rel=1e-3
    )
