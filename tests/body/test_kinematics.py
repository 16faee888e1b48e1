"""Joints and skin agree with the public `smplx` package, and move as bodies do."""

from pathlib import Path

import jax
import numpy as np
import pytest
import smplx
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation
from smplx.utils import Struct

from stages.body import skin
from stages.body.joint_names import SMPL45_NAMES, SMPL_PARENTS
from stages.body.kinematics import forward_kinematics, smpl45
from stages.body.model import load_body
from stages.body.skin import posed_vertices
from tools.body.to_pickle import write_smpl_pickle

DEMO_BODY = Path("data/bodies/demo_body.npz")


def random_pose(seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    betas = rng.normal(size=10).astype(np.float32)
    rotations = Rotation.from_rotvec(rng.normal(0, 0.8, (24, 3))).as_matrix()
    return betas, rotations.astype(np.float32)


def by_smplx(model: smplx.SMPL, betas: np.ndarray, rotations: np.ndarray):
    with torch.no_grad():
        out = model(
            betas=torch.tensor(betas)[None],
            global_orient=torch.tensor(rotations[None, :1]),
            body_pose=torch.tensor(rotations[None, 1:]),
            pose2rot=False,
        )
    return out.joints[0].numpy(), out.vertices[0].numpy()


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_demo_body_moves_as_smplx_moves_it(demo_body, seed, tmp_path):
    path = tmp_path / "SMPL_NEUTRAL.pkl"
    write_smpl_pickle(DEMO_BODY, path)
    joints, vertices = by_smplx(smplx.create(str(path)), *random_pose(seed))
    np.testing.assert_allclose(smpl45(demo_body, *random_pose(seed)), joints, atol=1e-5)
    np.testing.assert_allclose(posed_vertices(demo_body, *random_pose(seed)), vertices, atol=1e-5)


@pytest.mark.parametrize("seed", [0, 1])
def test_any_body_in_smpls_layout_moves_as_smplx_moves_it(random_body, seed):
    body, path = random_body
    reference = smplx.SMPL("unused", data_struct=Struct(**np.load(path)))
    joints, vertices = by_smplx(reference, *random_pose(seed))
    np.testing.assert_allclose(smpl45(body, *random_pose(seed)), joints, atol=1e-5)
    np.testing.assert_allclose(posed_vertices(body, *random_pose(seed)), vertices, atol=1e-5)


def test_the_pickle_for_smplx_is_read_here_too(demo_body, tmp_path):
    path = tmp_path / "SMPL_NEUTRAL.pkl"
    write_smpl_pickle(DEMO_BODY, path)
    again = load_body(path)
    np.testing.assert_array_equal(again.extra_vertices, demo_body.extra_vertices)
    # The last bit of a sum depends on where its numbers lie in memory.
    np.testing.assert_allclose(
        smpl45(again, *random_pose(5)), smpl45(demo_body, *random_pose(5)), atol=1e-6
    )


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 2**31))
def test_turning_the_root_turns_the_whole_body_about_the_pelvis(demo_body, seed):
    betas, local = random_pose(seed)
    turn = Rotation.random(random_state=seed).as_matrix().astype(np.float32)
    before = np.asarray(smpl45(demo_body, betas, local, np.zeros(3)))
    turned = local.copy()
    turned[0] = turn @ local[0]
    after = np.asarray(smpl45(demo_body, betas, turned, np.zeros(3)))
    np.testing.assert_allclose(after, before @ turn.T, atol=1e-5)


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 2**31))
def test_bones_keep_their_lengths_in_every_pose(demo_body, seed):
    betas, local = random_pose(seed)
    rest = demo_body.rest_joints(betas)
    _, posed = forward_kinematics(local, rest, rest[0])
    above = np.array(SMPL_PARENTS[1:])
    np.testing.assert_allclose(
        np.linalg.norm(np.asarray(posed)[1:] - np.asarray(posed)[above], axis=1),
        np.linalg.norm(rest[1:] - rest[above], axis=1),
        atol=1e-5,
    )


def test_the_zero_pose_leaves_joints_at_rest(demo_body):
    betas, _ = random_pose(1)
    rest = demo_body.rest_joints(betas)
    rotations, joints = forward_kinematics(np.tile(np.eye(3), (24, 1, 1)), rest, rest[0])
    np.testing.assert_allclose(joints, rest, atol=1e-6)
    np.testing.assert_allclose(rotations, np.tile(np.eye(3), (24, 1, 1)), atol=1e-6)


def test_the_root_is_the_pelvis_joint_not_the_models_origin(demo_body):
    betas, local = random_pose(2)
    root = np.array([1.0, -2.0, 0.5])
    assert np.linalg.norm(demo_body.joint_template[0]) > 0.1
    joints = np.asarray(smpl45(demo_body, betas, local, root))
    np.testing.assert_allclose(joints[0], root, atol=1e-6)
    picked = posed_vertices(demo_body, betas, local, root)[demo_body.extra_vertices]
    np.testing.assert_allclose(picked, joints[24:], atol=1e-5)


def test_many_frames_are_computed_at_once(demo_body):
    poses = [random_pose(k) for k in range(3)]
    betas, local = np.stack([p[0] for p in poses]), np.stack([p[1] for p in poses])
    together = jax.jit(jax.vmap(lambda b, r: smpl45(demo_body, b, r)))(betas, local)
    assert together.shape == (3, len(SMPL45_NAMES), 3)
    np.testing.assert_allclose(together[2], smpl45(demo_body, *poses[2]), atol=1e-5)


def test_numpy_and_jax_place_joints_alike(demo_body):
    local = np.stack(
        [[random_pose(k)[1] for k in (0, 1, 2)], [random_pose(k)[1] for k in (3, 4, 5)]]
    )
    roots = np.random.default_rng(0).normal(size=(2, 3, 3)).astype(np.float32)
    rest = demo_body.rest_joints(random_pose(0)[0])
    R, p = skin.forward_kinematics(local, rest, roots)
    for b in np.ndindex(2, 3):
        R_jax, p_jax = forward_kinematics(local[b], rest, roots[b])
        np.testing.assert_allclose(R[b], R_jax, atol=2e-6)
        np.testing.assert_allclose(p[b], p_jax, atol=2e-6)
