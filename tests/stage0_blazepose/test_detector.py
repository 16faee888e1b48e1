"""Where the detector finds people: near, small, and not at all."""

import cv2
import numpy as np

from stages.artifacts.masks import box_of
from stages.stage0_blazepose.detector import Detection, anchors, merged, overlap, tile_squares


def detection(score: float, left: float, hips: float = 50.0) -> Detection:
    box = np.array([left, 0.0, left + 20, 20.0])
    return Detection(score, box, np.array([hips, 50.0]), np.array([hips, 0.0]))


def test_boxes_of_one_person_become_their_mean_by_score():
    (one,) = merged([detection(0.6, 4, 40), detection(0.9, 0, 50)])
    assert one.score == 0.9
    np.testing.assert_allclose(one.hips_px, [46, 50])
    np.testing.assert_allclose(one.box_px, [1.6, 0, 21.6, 20])


def test_people_side_by_side_stay_two_best_first():
    assert [each.score for each in merged([detection(0.6, 30), detection(0.9, 0)])] == [0.9, 0.6]


def test_overlap_is_intersection_over_union():
    a, b = np.array([0.0, 0, 10, 10]), np.array([5.0, 0, 15, 10])
    assert overlap(a, b) == 50 / 150
    assert overlap(a, np.array([20.0, 0, 30, 10])) == 0
    assert overlap(np.zeros(4), np.zeros(4)) == 0


def test_every_place_lies_whole_in_a_tile_of_each_size_with_a_sixth_around_it():
    height, width = 360, 640
    for side in {square.side_px for square in tile_squares(height, width)}:
        low = np.array(
            [s.centre_px - s.side_px / 2 for s in tile_squares(height, width) if s.side_px == side]
        )
        reach = side / 8
        for y in np.linspace(reach, height - reach, 9):
            for x in np.linspace(reach, width - reach, 9):
                place = np.array([x, y])
                inside = (low <= place - reach + 1).all(1) & (place + reach <= low + side + 1).all(
                    1
                )
                assert inside.any(), (side, x, y)


def test_anchors_cover_the_picture_in_shares():
    assert anchors().shape == (2254, 2)
    np.testing.assert_allclose(anchors().mean(0), 0.5)
    np.testing.assert_allclose(anchors()[0], 0.5 / 28)


def test_the_demos_person_is_found_and_nobody_else(detector, stairs):
    (found,) = detector.whole(stairs.pictures[0])
    keypoints = stairs.truth.keypoints_px[0, stairs.numbers[0]]
    assert found.score > 0.9
    assert np.hypot(*(found.hips_px - keypoints[11:13].mean(0))) < 0.1 * stairs.height_px(0)
    assert abs(found.crop.turn_rad) < 0.3
    x1, y1, x2, y2 = box_of(stairs.masks[0])
    low, high = (
        found.crop.centre_px - found.crop.side_px / 2,
        found.crop.centre_px + found.crop.side_px / 2,
    )
    assert (low < [x1, y1]).all() and (high > [x2, y2]).all()


def test_somebody_who_lies_down_is_found_turned(detector, stairs):
    upright = stairs.pictures[0]
    (found,) = detector.whole(np.ascontiguousarray(np.rot90(upright, -1)))
    assert abs(found.crop.turn_rad - np.pi / 2) < 0.3


def test_small_people_are_found_in_tiles(detector, estimator, stairs):
    small = cv2.resize(stairs.pictures[0], (256, 144), interpolation=cv2.INTER_AREA)
    picture = np.full((720, 1280, 3), 127, np.uint8)
    picture[500:644, 900:1156] = small
    assert not detector.whole(picture)
    found = detector.tiles(picture)[0]
    hips = stairs.truth.keypoints_px[0, stairs.numbers[0], 11:13].mean(0) * 0.4 + [900, 500]
    seen = estimator.settle(picture, found.crop)
    assert np.hypot(*(seen.next_crop.centre_px - hips)) < 0.1 * 0.4 * stairs.height_px(0)


def test_nobody_is_found_in_noise(detector):
    noise = np.random.default_rng(0).integers(0, 255, (360, 640, 3)).astype(np.uint8)
    assert not detector.tiles(noise)
