"""Whatever part of the body carries a person carries the robot, on the same surface."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from bench.robustness.clips import body, person, terrain
from stages.body.joint_names import SMPL24_NAMES
from stages.body.kinematics import smpl45
from stages.robot.model import load_g1
from stages.robot.rest import link_trajectories
from stages.stage4_retarget.contacts import Flags
from stages.stage4_retarget.quality import body_depths, capsule_bottoms
from stages.stage4_retarget.retarget import Person, retarget
from stages.stage4_retarget.support import carried_otherwise, heights_m

FRAMES = 40
R_WORLD_UPRIGHT = np.array([[0, 0, 1.0], [1, 0, 0], [0, 1, 0]])
"""SMPL's axes (x left, y up, z ahead) of somebody who looks along the world's x."""
ARMS_DOWN = {"left_shoulder": (0, 0, -1.2), "right_shoulder": (0, 0, 1.2)}
ARMS_AHEAD = {"left_shoulder": (0, -1.4, 0), "right_shoulder": (0, 1.4, 0)}
ARMS_UP = {"left_shoulder": (0, 0, 1.4), "right_shoulder": (0, 0, -1.4)}
LEGS_AHEAD = {"left_hip": (-1.5, 0, 0), "right_hip": (-1.5, 0, 0)}
KNEES_BENT = {"left_knee": (1.5, 0, 0), "right_knee": (1.5, 0, 0)}
TOES_UP = {"left_ankle": (-0.9, 0, 0), "right_ankle": (-0.9, 0, 0)}
POSES = {
    "lying on the back": ({}, -90),
    "lying on the belly": ({}, 90),
    "on hands and knees": (LEGS_AHEAD | KNEES_BENT | ARMS_AHEAD, 85),
    "plank": (ARMS_AHEAD | TOES_UP, 70),
    "handstand": (ARMS_UP, 180),
    "sitting on the floor": (LEGS_AHEAD | ARMS_DOWN, 0),
    "kneeling": (KNEES_BENT | ARMS_DOWN, 0),
}
"""Turns of joints about SMPL's axes (rad), and how far the body leans ahead (degrees)."""


def somebody(turns: dict[str, tuple[float, float, float]], ahead_deg: float) -> Person:
    """A person in one pose whose lowest joint is on the floor, and who nods."""
    R = np.tile(np.eye(3), (FRAMES, 24, 1, 1))
    for name, turn in turns.items():
        R[:, SMPL24_NAMES.index(name)] = Rotation.from_rotvec(turn).as_matrix()
    nods = 0.03 * np.sin(np.linspace(0, 4 * np.pi, FRAMES))[:, None] * [1.0, 0, 0]
    R[:, SMPL24_NAMES.index("neck")] = Rotation.from_rotvec(nods).as_matrix()
    R[:, 0] = Rotation.from_euler("y", ahead_deg, degrees=True).as_matrix() @ R_WORLD_UPRIGHT
    posed = jax.vmap(functools.partial(smpl45, body(), jnp.zeros(10)))
    joints = np.array(posed(R.astype(np.float32), np.zeros((FRAMES, 3), np.float32)))
    joints[..., 2] -= joints[..., 2].min()
    flags = Flags(np.zeros((FRAMES, 2), bool), np.ones(FRAMES, bool))
    return Person(joints, R[:, 0].astype(np.float32), np.arange(FRAMES) / 30.0, flags)


@pytest.mark.parametrize("pose", POSES)
def test_the_robot_lies_kneels_and_stands_on_its_hands_on_the_floor(pose):
    robot, floor = load_g1(), terrain("flat")
    found = retarget(robot, somebody(*POSES[pose]), floor)
    links = link_trajectories(robot, found.R_world_root, found.p_world_root, found.joints)
    height = heights_m(capsule_bottoms(robot, *links).reshape(FRAMES, -1, 3), floor)
    assert found.converged
    assert height.max() < 0.02
    assert body_depths(robot, *links, floor).max() < 0.01


@pytest.mark.parametrize("kind", ["flat", "stairs", "jump_box"])
def test_people_on_their_feet_and_in_the_air_are_carried_by_nothing_else(kind):
    someone = person(kind)
    assert not carried_otherwise(someone.joints, someone.flags.touching, terrain(kind)).any()
