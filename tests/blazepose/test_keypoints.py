"""BlazePose's points among COCO-WholeBody's."""

import numpy as np

from stages.blazepose.keypoints import POINT_OF, wholebody
from stages.body.joint_names import COCO_WHOLEBODY_NAMES
from tests.blazepose.people import sighting

SIZE = (100, 120)
NAMED = {COCO_WHOLEBODY_NAMES[keypoint]: point for keypoint, point in POINT_OF.items()}


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
