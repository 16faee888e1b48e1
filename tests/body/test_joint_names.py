"""Orders and pairs of points are consistent with their names."""

import pytest

from stages.body.joint_names import (
    COCO18,
    COCO_WHOLEBODY_NAMES,
    FLIP_PAIRS,
    SMPL24_NAMES,
    SMPL45_NAMES,
    SMPL45_OF_COCO18,
    SMPL_PARENTS,
    coco18_row,
    flip_order,
    smpl45_row,
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


def test_rows_of_names_are_those_of_the_lists_and_unknown_names_have_none():
    assert SMPL45_NAMES[smpl45_row("left_heel")] == "left_heel"
    assert COCO_WHOLEBODY_NAMES[COCO18[coco18_row("left_heel")]] == "left_heel"
    with pytest.raises(ValueError):
        coco18_row("nose")


def test_parents_come_first_and_both_sides_of_the_tree_are_alike():
    assert all(parent < joint for joint, parent in enumerate(SMPL_PARENTS))
    names = dict(enumerate(SMPL24_NAMES))
    edges = {(names[j], names[p]) for j, p in enumerate(SMPL_PARENTS) if p >= 0}
    assert {(other_side(j), other_side(p)) for j, p in edges} == edges
