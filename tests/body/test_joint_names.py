"""Orders and pairs of points are consistent with their names."""

from stages.body.joint_names import (
    COCO18,
    COCO23_OF_SMPL45,
    COCO_BONES,
    COCO_WHOLEBODY_NAMES,
    FLIP_PAIRS,
    SMPL45_NAMES,
    SMPL45_OF_COCO18,
    flip_order,
)


def other_side(name: str) -> str:
    return name.replace("left", "*").replace("right", "left").replace("*", "right")


def test_there_are_133_keypoints_and_45_joints_with_names_of_their_own():
    assert len(set(COCO_WHOLEBODY_NAMES)) == 133
    assert len(set(SMPL45_NAMES)) == 45


def test_flipping_twice_changes_nothing_and_moves_each_point_once():
    order = flip_order()
    assert [order[k] for k in order] == list(range(133))
    assert len({k for pair in FLIP_PAIRS for k in pair}) == 2 * len(FLIP_PAIRS)


def test_flipping_takes_every_left_point_to_its_right_one():
    for k, other in enumerate(flip_order()):
        name = COCO_WHOLEBODY_NAMES[k]
        if not name.startswith("face"):
            assert COCO_WHOLEBODY_NAMES[other] == other_side(name)


def test_keypoints_and_joints_that_correspond_have_the_same_names():
    for keypoint, joint in zip(COCO18, SMPL45_OF_COCO18, strict=True):
        assert COCO_WHOLEBODY_NAMES[keypoint] == SMPL45_NAMES[joint]
    for keypoint, joint in enumerate(COCO23_OF_SMPL45):
        assert COCO_WHOLEBODY_NAMES[keypoint] == SMPL45_NAMES[joint]


def test_the_fourteen_bones_join_matched_keypoints_and_are_symmetric():
    assert len(COCO_BONES) == 14 and all(k in COCO18 for bone in COCO_BONES for k in bone)
    bones = {frozenset(bone) for bone in COCO_BONES}
    assert {frozenset(flip_order()[k] for k in bone) for bone in bones} == bones
