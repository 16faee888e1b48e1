"""The quality of a motion shows what is wrong with it, each fault by itself."""

import numpy as np
import pytest

from bench.robustness.clips import person, terrain
from stages.robot.model import load_g1
from stages.stage4_retarget.quality import measure
from stages.stage4_retarget.retarget import retarget

KIND = "jump_box"


@pytest.fixture(scope="module")
def found():
    return retarget(load_g1(), person(KIND), terrain(KIND))


def quality(found, R=None, p=None, joints=None):
    """Of the motion with some of it exchanged."""
    given = zip((R, p, joints), (found.R_world_root, found.p_world_root, found.joints), strict=True)
    pose = [old if new is None else new for new, old in given]
    someone = person(KIND)
    return measure(load_g1(), *pose, found.contacts, someone.times_s, terrain(KIND), someone.joints)


def test_nothing_is_doubted_of_a_sound_motion(found):
    assert quality(found).doubts == []
    assert quality(found).contact_kept > 0.98


@pytest.mark.parametrize(
    ("moved_m", "said"),
    [
        ((0, 0, 0.2), "floats 0.2"),
        ((0, 0, -0.3), "in the ground"),
        ((0, 0.5, 0), "off the person's path"),
    ],
)
def test_a_motion_that_is_elsewhere_is_doubted(found, moved_m, said):
    assert said in "; ".join(quality(found, p=found.p_world_root + np.array(moved_m)).doubts)


def test_a_robot_whose_feet_float_keeps_no_contact(found):
    assert quality(found, p=found.p_world_root + np.array([0, 0, 0.05])).contact_kept < 0.02


def test_frozen_joints_are_doubted(found):
    joints = found.joints.copy()
    joints[:, 3] = joints[0, 3]
    assert "1 joints never turn" in quality(found, joints=joints).doubts
    frozen = quality(found, joints=np.tile(found.joints[:1], (len(found.joints), 1)))
    assert "limbs point" in "; ".join(frozen.doubts)


def test_a_jerk_of_the_pelvis_and_of_a_joint_is_an_acceleration(found):
    p, joints = found.p_world_root.copy(), found.joints.copy()
    p[50] += [0, 0, 0.05]
    joints[50, 3] += 0.2
    before, after = quality(found), quality(found, p=p, joints=joints)
    # A value that is off by d for one frame of 1/30 s is accelerated by 2 d 30².
    assert after.root_acceleration_worst_m_s2 == pytest.approx(2 * 0.05 * 900, rel=0.3)
    assert after.joint_acceleration_worst_rad_s2 > before.joint_acceleration_worst_rad_s2 + 150
