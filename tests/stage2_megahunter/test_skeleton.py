"""Body points: the same as the body model's own points, with the right derivatives."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from bench.robustness.scenes import BODY, PICKER
from stages.body.joint_names import SMPL45_OF_COCO18
from stages.body.kinematics import smpl45
from stages.body.skeleton import skeleton_points, skeleton_points_jacobian
from stages.geometry.rotations import matrix_from_rotvec
from stages.people.posing import posed_points
from stages.people.skeleton import KEYPOINTS


@pytest.fixture
def pose():
    rng = np.random.default_rng(0)
    return matrix_from_rotvec(0.5 * rng.normal(size=(24, 3))), rng.normal(size=3)


def test_keypoints_are_rows_of_smpl45_toes_and_heels_included(pose):
    betas = np.linspace(-1, 1, 10)
    points = skeleton_points(*map(jnp.asarray, pose), PICKER.skeleton(betas))
    all45 = smpl45(BODY, jnp.asarray(betas), *map(jnp.asarray, pose))
    np.testing.assert_allclose(points[:KEYPOINTS], all45[np.array(SMPL45_OF_COCO18)], atol=2e-6)


def test_numpy_and_jax_place_points_alike(pose):
    skeleton = PICKER.skeleton(np.zeros(10))
    points = skeleton_points(*map(jnp.asarray, pose), skeleton)
    keypoints, soles = posed_points(pose[0][None], pose[1][None], skeleton)
    np.testing.assert_allclose(points[:KEYPOINTS], keypoints[0], atol=2e-6)
    np.testing.assert_allclose(points[KEYPOINTS:], soles[0], atol=2e-6)


def test_soles_are_the_lowest_points_of_the_feet():
    skeleton = PICKER.skeleton(np.zeros(10))
    _, soles = posed_points(np.eye(3)[None, None].repeat(24, 1), np.zeros((1, 3)), skeleton)
    feet = skeleton.joints[[7, 7, 8, 8]] - skeleton.joints[0]
    assert (soles[0, :, 1] < feet[:, 1] - 0.03).all()
    toes, heels = soles[0, 0::2], soles[0, 1::2]
    assert (toes[:, 2] > heels[:, 2] + 0.1).all()


@pytest.mark.parametrize("stature", [-2.0, 0.0, 2.0])
def test_no_skin_of_a_standing_foot_is_below_its_sole(stature):
    betas = np.array([stature, *[0.0] * 9])
    _, soles = posed_points(
        np.eye(3)[None, None].repeat(24, 1), np.zeros((1, 3)), PICKER.skeleton(betas)
    )
    skin = BODY.v_template + BODY.shapedirs @ betas
    pelvis = BODY.joint_template[0] + BODY.joint_directions[0] @ betas
    for side, vertices in enumerate((BODY.left_foot_vertices, BODY.right_foot_vertices)):
        lowest = (skin[vertices, 1] - pelvis[1]).min()
        assert soles[0, 2 * side : 2 * side + 2, 1].min() == pytest.approx(lowest, abs=1e-3)


def test_marks_move_as_finite_differences_say(pose):
    with jax.enable_x64(True):
        R, p = map(jnp.asarray, pose)
        skeleton = PICKER.skeleton(np.zeros(10))
        skeleton = jax.tree.map(lambda a: jnp.asarray(a, jnp.float64), skeleton)
        place = jax.jit(skeleton_points)
        turned = skeleton_points_jacobian(R, p, skeleton)
        for seed in range(4):
            turn = np.random.default_rng(seed).normal(size=(24, 3))
            ends = [
                place(matrix_from_rotvec(angle * turn) @ R, p, skeleton) for angle in (1e-6, -1e-6)
            ]
            np.testing.assert_allclose((ends[0] - ends[1]) / 2e-6, turned @ turn.ravel(), atol=1e-7)
