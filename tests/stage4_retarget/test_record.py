"""What is written of a motion."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from bench.robustness.clips import no_terrain, person
from stages.artifacts.clock import Clock
from stages.artifacts.robot_motion import RobotMotion
from stages.robot.model import load_g1
from stages.robot.rest import link_trajectories
from stages.stage4_retarget.foot_targets import FootTargets
from stages.stage4_retarget.gaps import Part
from stages.stage4_retarget.initial import resting_joints
from stages.stage4_retarget.quality import measure
from stages.stage4_retarget.record import robot_motion
from stages.stage4_retarget.retarget import Person, Retargeted

ROWS = 30
TURN = Rotation.from_rotvec(np.linspace(0, 1.7 * 2 * np.pi, ROWS)[:, None] * [0.0, 0.0, 1.0])


@pytest.fixture(scope="module")
def turning() -> RobotMotion:
    """A robot in its rest pose that turns more than once about the vertical."""
    robot, rows, zeros = load_g1(), ROWS, np.zeros((ROWS, 3))
    R = TURN.as_matrix()
    joints = np.tile(resting_joints(robot), (rows, 1))
    contacts = np.zeros((rows, 2), bool)
    feet = FootTargets(np.zeros((rows, 2, 3)), contacts, np.zeros((rows, 2, 2)))
    found = Retargeted(R, zeros, joints, contacts, feet, {}, 1, True, 0.0, ())
    someone = person("flat", 1.0)
    times_s = Clock(30.0).times_s(np.arange(1, rows + 1))
    quality = measure(
        robot, R, zeros, joints, contacts, times_s, no_terrain(), someone.joints[:rows]
    )
    motion = Person(someone.joints[:rows], R, times_s, someone.flags)
    return robot_motion(robot, 1, Part(np.arange(1, rows + 1), motion), found, quality, 30.0)


def test_the_sign_of_quaternions_does_not_flip_between_rows(turning):
    for quaternions in (turning.root_quat_xyzw, turning.link_quat_xyzw):
        assert ((quaternions[1:] * quaternions[:-1]).sum(axis=-1) > 0).all()
    # Once around, the same rotation has the other sign: the test has a flip to miss.
    assert turning.root_quat_xyzw[:, 3].min() < -0.9


def test_quaternions_are_those_of_the_rotations_x_y_z_w(turning):
    root = Rotation.from_quat(turning.root_quat_xyzw)
    assert (TURN * root.inv()).magnitude().max() < 1e-6
    robot, joints = load_g1(), turning.joints.astype(float)
    R, _ = link_trajectories(robot, TURN.as_matrix(), turning.root_pos, joints)
    for index, name in enumerate(turning.link_names):
        stored = Rotation.from_quat(turning.link_quat_xyzw[:, index])
        there = Rotation.from_matrix(R[:, robot.link(name)])
        assert (there * stored.inv()).magnitude().max() < 1e-6
