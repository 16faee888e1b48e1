"""A person's joints, axes and limbs in terms of the G1's."""

import numpy as np
import pytest

from stages.robot.correspondence import g1_correspondence, root_rotation
from stages.robot.limbs import limb_lengths_m, sole_points_m, standing_height_m
from stages.robot.model import load_g1
from stages.robot.rest import link_poses_at_rest


def test_links_are_those_of_the_41_link_list():
    table = g1_correspondence(load_g1())
    by_smpl = dict(zip(table.smpl.tolist(), table.link.tolist(), strict=True))
    assert by_smpl == {
        0: 0, 1: 3, 2: 10, 18: 28, 19: 36, 4: 5, 5: 12, 20: 32, 21: 40, 7: 6, 8: 13, 16: 26,
        17: 34, 10: 8, 11: 15,
    }  # fmt: skip


def test_there_are_fourteen_limbs_of_seven_kinds():
    table = g1_correspondence(load_g1())
    assert table.limbs.shape == (14, 2)
    assert sorted(np.bincount(table.kind)) == [2] * 7


def test_a_person_upright_and_facing_x_becomes_a_robot_upright_and_facing_x():
    # Columns: where SMPL's left, up and forward axes point in the world.
    facing_x = np.array([[0.0, 0, 1], [1, 0, 0], [0, 1, 0]])
    np.testing.assert_allclose(root_rotation(facing_x), np.eye(3))


def test_limbs_are_as_long_as_the_robot_s():
    lengths = limb_lengths_m(load_g1())
    assert lengths["left_knee", "left_ankle"] == pytest.approx(0.30001, abs=1e-4)
    assert lengths["left_hip", "left_knee"] == pytest.approx(lengths["right_hip", "right_knee"])
    assert len(lengths) == 14


def test_it_stands_as_tall_as_the_robot():
    assert standing_height_m(load_g1()) == pytest.approx(1.32, abs=0.03)


def test_sole_points_are_the_lowest_of_the_robot():
    robot = load_g1()
    points = sole_points_m(robot, "right")
    assert (points[:2, 0] < 0).all() and (points[2:, 0] > 0).all()
    _, p = link_poses_at_rest(robot)
    lowest = p[robot.link("right_ankle_roll_link"), 2] + points[:, 2].min()
    assert lowest == pytest.approx(-0.7569 - 0.035, abs=1e-3)
