"""What physics says: who stands, who hangs in the air, who is inside of the place."""

from dataclasses import replace

import numpy as np
import pytest

from stages.body.model import DEMO_BODY
from stages.export.files import copy
from stages.export.formats.mjcf import MESH_NAME, scene_spec
from stages.export.motion import motion_of
from stages.export.physics import tried
from stages.export.robots import g1
from stages.robot.model import load_g1
from stages.robot.rest import link_trajectories
from stages.robot.soles import sole_trajectories

ROWS = 40


@pytest.fixture(scope="module")
def standing(motion):
    """The robot at rest on the floor, both feet planted."""
    robot = load_g1()
    joints = np.zeros((ROWS, len(robot.joint_names)))
    root = np.tile([-1.5, 0, 0.0], (ROWS, 1))
    R, p = link_trajectories(robot, np.tile(np.eye(3), (ROWS, 1, 1)), root, joints)
    root[:, 2] -= sole_trajectories(robot, R, p)[0, ..., 2].min()
    rows = {
        name: value[:ROWS] for name, value in vars(motion).items() if isinstance(value, np.ndarray)
    }
    rows |= {
        "joints": joints.astype(np.float32),
        "root_pos": root,
        "root_quat_xyzw": np.tile([0, 0, 0, 1.0], (ROWS, 1)),
        "left_foot": np.ones(ROWS, bool),
        "right_foot": np.ones(ROWS, bool),
    }
    return replace(motion, **rows)


def physics(found, place, folder):
    copy(place, folder / MESH_NAME)
    made = motion_of(found, place, DEMO_BODY, g1("29", revision_1_0=False), 0, "standing", {})
    return tried(made, scene_spec(made, folder))


def moved(found, offset_m):
    return replace(found, root_pos=found.root_pos + np.array(offset_m))


def test_who_stands_stays_and_touches_with_both_feet(standing, place, tmp_path):
    said = physics(standing, place, tmp_path)
    assert said["dropped_m"] < 0.01 and said["touched"] == ["left_foot", "right_foot"]
    assert said["worst_force_body_weights"] < 3 and not said["doubts"]


def test_who_hangs_in_the_air_falls_and_touches_nothing(standing, place, tmp_path):
    said = physics(moved(standing, [0, 0, 0.1]), place, tmp_path)
    assert said["dropped_m"] == pytest.approx(0.049, abs=0.004)  # As all that falls.
    assert said["doubts"][0].startswith("drops")
    assert "left_foot, right_foot should touch the ground" in said["doubts"][1]


def test_who_jumps_may_fall(standing, place, tmp_path):
    nowhere = np.zeros(ROWS, bool)
    jumping = replace(moved(standing, [0, 0, 0.1]), left_foot=nowhere, right_foot=nowhere)
    assert not physics(jumping, place, tmp_path)["doubts"]


def test_who_is_inside_of_a_step_is_pushed_out(standing, place, tmp_path):
    said = physics(moved(standing, [3.0, 0, 0]), place, tmp_path)
    assert said["worst_force_body_weights"] > 10
    assert "it is inside of the place" in said["doubts"][-1]
