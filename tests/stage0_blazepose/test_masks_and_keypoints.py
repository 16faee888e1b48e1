"""One id a pixel, and BlazePose's points among COCO-WholeBody's."""

import numpy as np

from stages.body.joint_names import COCO_WHOLEBODY_NAMES
from stages.stage0_blazepose.keypoints import POINT_OF, wholebody
from stages.stage0_blazepose.masks import cleaned, id_map
from tests.stage0_blazepose.people import sighting

SIZE = (100, 120)
NAMED = {COCO_WHOLEBODY_NAMES[keypoint]: point for keypoint, point in POINT_OF.items()}


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


def test_body_and_feet_are_there_and_small_toes_are_not():
    body = COCO_WHOLEBODY_NAMES[:17]
    assert set(body) <= set(NAMED)
    assert {name for name in COCO_WHOLEBODY_NAMES[17:23] if name not in NAMED} == {
        "left_small_toe",
        "right_small_toe",
    }
    assert not any(name.startswith("face_") for name in NAMED)


def test_left_is_the_persons_left():
    assert (NAMED["left_shoulder"], NAMED["right_shoulder"]) == (11, 12)
    assert (NAMED["left_eye"], NAMED["right_eye"]) == (2, 5)
    assert (NAMED["left_big_toe"], NAMED["right_heel"]) == (31, 30)
    assert (NAMED["left_hand_root"], NAMED["right_pinky_finger1"]) == (15, 18)


def test_keypoints_have_the_visibility_as_score_and_the_rest_has_none():
    seen = sighting()
    keypoints = wholebody(seen, SIZE, np.zeros((133, 2)))
    assert keypoints.shape == (133, 3) and keypoints.dtype == np.float32
    np.testing.assert_allclose(keypoints[5, :2], seen.points_px[11, :2])
    assert keypoints[5, 2] == np.float32(seen.visibility[11])
    assert not np.delete(keypoints, list(POINT_OF), axis=0).any()


def test_a_keypoint_outside_of_the_picture_is_not_seen():
    seen = sighting(105)
    keypoints = wholebody(seen, (100, 110), np.zeros((133, 2)))
    outside = seen.points_px[[POINT_OF[row] for row in POINT_OF], 0] > 109.5
    rows = np.array(list(POINT_OF))
    assert (keypoints[rows[outside], 2] == 0).all() and (keypoints[rows[~outside], 2] > 0).all()
    assert outside.any() and not outside.all()
