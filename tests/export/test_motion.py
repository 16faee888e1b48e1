"""Motions at another rate, on another robot, and the velocities that belong to them."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from stages.body.model import DEMO_BODY
from stages.export.motion import angular_velocity, at_rate, motion_of
from stages.export.robots import breadth_first, g1
from stages.robot.model import load_g1
from tests.export.files_read import ISAACLAB


@pytest.mark.parametrize("fps", [25, 30, 50, 120])
def test_another_rate_keeps_the_moments_that_both_have(motion, place, fps):
    made = motion_of(motion, place, DEMO_BODY, g1("23", revision_1_0=False), fps, "walk", {})
    times = np.arange(len(made.joint_pos)) / fps
    assert times[-1] <= motion.times_s[-1] + 1e-9 < times[-1] + 1 / fps + 1e-9
    both = [
        (i, round(t * motion.fps))
        for i, t in enumerate(times)
        if abs(t * motion.fps - round(t * motion.fps)) < 1e-9
    ]
    assert len(both) >= 3
    for ours, theirs in both:
        np.testing.assert_allclose(made.joint_pos[ours], motion.joints[theirs], atol=1e-6)
        np.testing.assert_allclose(made.body_pos[ours, 0], motion.root_pos[theirs], atol=1e-9)
        assert made.left_foot[ours] == motion.left_foot[theirs]


def test_the_bodies_are_the_links_that_stage_4_wrote(motion, place):
    made = motion_of(motion, place, DEMO_BODY, g1("23", revision_1_0=False), 0, "walk", {})
    stored = [motion.link_names.index(name) for name in made.body_names]
    np.testing.assert_allclose(made.body_pos, motion.link_pos[:, stored], atol=1e-6)


def test_velocities_lead_from_a_row_to_the_next(motion, place):
    made = motion_of(motion, place, DEMO_BODY, g1("29"), 200, "walk", {})
    between = (made.body_lin_vel[1:] + made.body_lin_vel[:-1]) / 2 / made.fps
    np.testing.assert_allclose(np.diff(made.body_pos, axis=0)[1:-1], between[1:-1], atol=2e-3)
    wxyz = made.body_wxyz[:, :, [1, 2, 3, 0]]
    for body in (0, 10, 22):
        turns = Rotation.from_quat(wxyz[:, body])
        spin = Rotation.from_rotvec(made.body_ang_vel[1:-1, body] * 2 / made.fps)
        assert ((spin * turns[:-2]).inv() * turns[2:]).magnitude().max() < 1e-6


def test_a_steady_turn_has_its_speed_to_both_ends():
    R = Rotation.from_euler("z", np.arange(12)[:, None] * 0.2).as_matrix()
    spin = angular_velocity(R, 50)
    np.testing.assert_allclose(spin, np.tile([0, 0, 10.0], (12, 1)), atol=1e-9)


def test_quaternions_never_jump_from_a_row_to_the_next(motion, place):
    made = motion_of(motion, place, DEMO_BODY, g1("29"), 50, "walk", {})
    assert (np.sum(made.body_wxyz[1:] * made.body_wxyz[:-1], axis=-1) > 0.9).all()
    assert (made.body_wxyz[..., 0] < 0).any()  # What w >= 0 alone would have torn.


def test_wrists_of_29_stay_at_zero_and_unitrees_23_have_one_joint_in_the_waist(motion, place):
    own = motion.joints[:, [motion.joint_names.index("left_elbow_joint")]]
    for name, count in [("29", 29), ("23", 23), ("unitree23", 23)]:
        made = motion_of(motion, place, DEMO_BODY, g1(name), 0, "walk", {})
        assert made.joint_pos.shape[1] == count
        wrists = [i for i, joint in enumerate(made.joint_names) if "wrist" in joint]
        assert len(wrists) == {"29": 6, "23": 0, "unitree23": 2}[name]
        assert not made.joint_pos[:, wrists].any()
        elbow = made.joint_pos[:, [made.joint_names.index("left_elbow_joint")]]
        np.testing.assert_allclose(elbow, own, atol=1e-6)
    assert "waist_pitch_joint" not in made.joint_names and "waist_yaw_joint" in made.joint_names
    assert made.body_names[13] == "torso_link"
    assert made.body_names[18] == "left_wrist_roll_rubber_hand"


def test_isaaclab_goes_by_depth():
    np.testing.assert_array_equal(breadth_first(g1("29").robot), ISAACLAB)


def test_the_feet_are_where_they_were_on_every_robot(motion, place):
    robot = load_g1()
    foot = motion.link_names.index(robot.link_names[robot.link("left_ankle_roll_link")])
    for name in ("29", "23", "unitree23"):
        made = motion_of(motion, place, DEMO_BODY, g1(name), 0, "walk", {})
        found = made.body_pos[:, made.body_names.index("left_ankle_roll_link")]
        np.testing.assert_allclose(found, motion.link_pos[:, foot], atol=1e-6)


def test_a_single_row_more_than_the_least_still_has_velocities(motion, place):
    short = replace(
        motion,
        **{
            name: getattr(motion, name)[:2]
            for name, value in vars(motion).items()
            if isinstance(value, np.ndarray)
        },
    )
    made = motion_of(short, place, DEMO_BODY, g1("29"), 50, "two", {})
    assert len(made.joint_pos) == len(at_rate(1 / 30, 50)) == 2
    assert np.isfinite(made.body_ang_vel).all()
