"""Forward kinematics agree with yourdfpy's, and their derivatives with differences."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import yourdfpy
from scipy.spatial.transform import Rotation

from stages.robot.kinematics import link_poses, moved_points, points_on_links, world_points
from stages.robot.model import load_g1, load_robot
from stages.robot.rest import link_trajectories
from stages.robot.urdf import RobotFileError
from stages.solving import rotate_left
from tests.robot.test_g1_file import FILE


@pytest.fixture(scope="module")
def robot():
    return load_g1()


@pytest.fixture()
def double_precision():
    with jax.enable_x64(True):
        yield


def some_pose(robot, seed=0):
    rng = np.random.default_rng(seed)
    R = Rotation.random(random_state=seed).as_matrix()
    return R, rng.normal(size=3), rng.uniform(robot.lower, robot.upper)


def test_link_poses_agree_with_yourdfpy(robot):
    urdf = yourdfpy.URDF.load(str(FILE))
    for seed in range(5):
        R_root, p_root, joints = some_pose(robot, seed)
        urdf.update_cfg(joints)
        R, p = link_trajectories(robot, R_root[None], p_root[None], joints[None])
        for i, name in enumerate(robot.link_names):
            T = urdf.get_transform(name, "pelvis")
            np.testing.assert_allclose(p[0, i], R_root @ T[:3, 3] + p_root, atol=1e-10)
            np.testing.assert_allclose(R[0, i], R_root @ T[:3, :3], atol=1e-10)


def test_jax_and_numpy_kinematics_agree(robot):
    R_root, p_root, joints = some_pose(robot, 7)
    R, p = link_trajectories(robot, R_root[None], p_root[None], joints[None])
    poses = link_poses(robot, jnp.asarray(R_root), jnp.asarray(p_root), jnp.asarray(joints))
    np.testing.assert_allclose(poses.R, R[0], atol=1e-5)
    np.testing.assert_allclose(poses.p, p[0], atol=1e-5)


def test_derivatives_of_points_agree_with_differences(robot, double_precision):
    rng = np.random.default_rng(3)
    links = rng.integers(0, len(robot.link_names), 20)
    points = points_on_links(robot, links, rng.normal(scale=0.1, size=(20, 3)))
    R_root, p_root, joints = some_pose(robot, 3)

    def places(delta):
        R = rotate_left(jnp.asarray(R_root), delta[:3])
        return world_points(robot, points, R, p_root + delta[3:6], joints + delta[6:])

    found, exact, _ = moved_points(robot, points, jnp.asarray(R_root), p_root, jnp.asarray(joints))
    np.testing.assert_allclose(found, places(jnp.zeros(29)), atol=1e-12)
    step = 1e-6
    for i in range(29):
        delta = np.zeros(29)
        delta[i] = step
        difference = (places(jnp.asarray(delta)) - places(jnp.asarray(-delta))) / (2 * step)
        np.testing.assert_allclose(exact[..., i], difference, atol=1e-8)


def test_a_moved_joint_moves_only_what_it_carries(robot):
    bent = np.zeros(len(robot.joint_names))
    bent[robot.joint("left_knee_joint")] = 1.0
    stacked = np.stack([np.zeros_like(bent), bent])
    _, p = link_trajectories(robot, np.tile(np.eye(3), (2, 1, 1)), np.zeros((2, 3)), stacked)
    moved = {robot.link_names[i] for i in np.flatnonzero(np.abs(p[1] - p[0]).max(axis=1) > 1e-9)}
    assert moved == {"left_ankle_pitch_link", "left_ankle_roll_link", "left_foot_link"}


def test_an_unknown_link_is_named_with_those_there_are(robot):
    with pytest.raises(KeyError, match=r"left_fot.*left_foot_link"):
        robot.link("left_fot")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("<robot", "not a readable URDF"),
        ("<model/>", "begins with <robot>"),
        ("<robot name='r'><link name='a'/><link name='b'/></robot>", "one root link"),
        (
            "<robot name='r'><link name='a'/><link name='b'/>"
            "<joint name='j' type='prismatic'><parent link='a'/><child link='b'/></joint></robot>",
            "joint j is prismatic",
        ),
    ],
)
def test_a_broken_description_is_refused_by_name(tmp_path, text, says):
    path = tmp_path / "robot.urdf"
    path.write_text(text)
    with pytest.raises(RobotFileError, match=says) as caught:
        load_robot(path)
    assert str(path) in str(caught.value)


def test_a_missing_description_says_where_one_is(tmp_path):
    with pytest.raises(RobotFileError, match=r"none\.urdf: no robot description; data/robots"):
        load_robot(tmp_path / "none.urdf")
