"""Capsule distances and the pairs that are checked."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from stages.robot.collision import (
    capsule_ends,
    moved_pair_distances,
    pair_distances,
    segment_distances,
    self_collision_pairs,
)
from stages.robot.kinematics import moved_points, world_points
from stages.robot.model import load_g1


def dense_distance(a0, a1, b0, b1):
    s = np.linspace(0, 1, 400)
    a, b = a0 + s[:, None] * (a1 - a0), b0 + s[:, None] * (b1 - b0)
    return np.linalg.norm(a[:, None] - b[None], axis=-1).min()


def test_segment_distances_agree_with_sampling():
    rng = np.random.default_rng(0)
    ends = rng.normal(size=(4, 60, 3))
    found = segment_distances(*(jnp.asarray(e) for e in ends))
    for i, distance in enumerate(found):
        assert distance == pytest.approx(dense_distance(*ends[:, i]), abs=2e-2)


def test_parallel_and_pointlike_segments_have_their_distance():
    a0, a1 = jnp.zeros((2, 3)), jnp.array([[1.0, 0, 0], [0, 0, 0]])
    b0, b1 = jnp.array([[0, 1.0, 0], [0, 0, 2]]), jnp.array([[1.0, 1, 0], [0, 0, 2]])
    np.testing.assert_allclose(segment_distances(a0, a1, b0, b1), [1, 2], rtol=1e-5)


@pytest.mark.parametrize("seed", range(3))
def test_distances_change_with_joints_as_differences_say(seed):
    with jax.enable_x64(True):
        robot, rng = load_g1(), np.random.default_rng(seed)
        pairs, ends = self_collision_pairs(robot), capsule_ends(robot)
        joints = jnp.asarray(rng.uniform(robot.lower, robot.upper))
        R, p = jnp.asarray(Rotation.random(random_state=seed).as_matrix()), jnp.array([9.0, 3, 1])

        @jax.jit
        def distances(joints):
            start, end = (world_points(robot, points, R, p, joints) for points in ends)
            return pair_distances(robot, start, end, pairs)

        start, _, axes = moved_points(robot, ends[0], R, p, joints)
        exact = moved_pair_distances(
            robot, start, world_points(robot, ends[1], R, p, joints), pairs, axes
        )
        steps = 1e-6 * np.eye(len(joints))
        numeric = np.stack(
            [(distances(joints + e) - distances(joints - e)) / 2e-6 for e in steps], axis=1
        )
        np.testing.assert_allclose(exact, numeric, atol=1e-5)
        assert np.abs(numeric).max() > 0.1


def closest_pair(joints):
    robot = load_g1()
    pairs = self_collision_pairs(robot)
    start, end = (
        world_points(robot, ends, jnp.eye(3), jnp.zeros(3), jnp.asarray(joints, jnp.float32))
        for ends in capsule_ends(robot)
    )
    distances = np.asarray(pair_distances(robot, start, end, pairs))
    i = distances.argmin()
    links = [robot.link_names[robot.capsules.link[c]] for c in pairs[i]]
    return distances[i], set(links)


def test_nothing_touches_at_zero():
    distance, _ = closest_pair(np.zeros(23))
    assert distance > 0.01


def test_crossed_legs_are_found_to_collide():
    robot = load_g1()
    joints = np.zeros(23)
    joints[robot.joint("left_hip_roll_joint")] = -0.5
    joints[robot.joint("right_hip_roll_joint")] = 0.5
    distance, links = closest_pair(joints)
    assert distance < -0.01
    assert all(link.startswith(("left_", "right_")) for link in links)
    assert len({link.split("_")[0] for link in links}) == 2


def test_an_arm_pushed_into_the_trunk_is_found_to_collide():
    robot = load_g1()
    joints = np.zeros(23)
    joints[robot.joint("left_shoulder_roll_joint")] = -0.6
    distance, links = closest_pair(joints)
    assert distance < -0.01
    assert "torso_link" in links


def test_neighbours_are_not_checked():
    robot = load_g1()
    names = [
        {robot.link_names[robot.capsules.link[c]] for c in pair}
        for pair in self_collision_pairs(robot)
    ]
    assert {"left_hip_yaw_link", "left_knee_link"} not in names
    assert {"left_knee_link", "right_knee_link"} in names
    assert {"torso_link", "left_shoulder_yaw_link"} in names
