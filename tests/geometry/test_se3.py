"""Rigid motions: against the matrix exponential, each other, and the original's numbers."""

from typing import Any

import numpy as np
import pytest
import torch
from scipy.spatial.transform import Rotation

from stages.geometry import se3

ANGLES = [0.0, 1e-12, 1e-6, 1e-3, 0.299, 0.301, 1.5, 3.0, 3.14159]


def tangents(angle: float, dtype: torch.dtype = torch.float64, count: int = 20) -> torch.Tensor:
    made = torch.randn(count, 6, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    axis = torch.nn.functional.normalize(made[:, 3:], dim=-1)
    return torch.cat([made[:, :3], angle * axis], dim=-1).to(dtype)


def hat(tangent: torch.Tensor) -> torch.Tensor:
    made = tangent.new_zeros(*tangent.shape[:-1], 4, 4)
    made[..., :3, :3] = se3.cross_matrix(tangent[..., 3:])
    made[..., :3, 3] = tangent[..., :3]
    return made


@pytest.mark.parametrize("angle", ANGLES)
def test_exp_is_the_matrix_exponential(angle: float) -> None:
    given = tangents(angle)
    torch.testing.assert_close(
        se3.matrix(se3.exp(given)), torch.linalg.matrix_exp(hat(given)), rtol=0, atol=1e-13
    )


@pytest.mark.parametrize("angle", ANGLES)
def test_log_undoes_exp(angle: float) -> None:
    given = tangents(angle)
    torch.testing.assert_close(se3.log(se3.exp(given)), given, rtol=0, atol=1e-12)
    flipped = se3.exp(given) * torch.tensor([1, 1, 1, -1, -1, -1, -1])
    torch.testing.assert_close(se3.log(flipped), given, rtol=0, atol=1e-12)


@pytest.mark.parametrize("angle", ANGLES[:-1])
def test_single_precision_is_as_exact_as_its_numbers(angle: float) -> None:
    given = tangents(angle, torch.float32)
    pose = se3.exp(given)
    assert pose.dtype == torch.float32
    torch.testing.assert_close(pose.double(), se3.exp(given.double()), rtol=0, atol=1e-6)
    torch.testing.assert_close(se3.log(pose), given, rtol=0, atol=1e-5)


def test_quaternions_are_scipys() -> None:
    pose = se3.exp(tangents(2.0))
    theirs = Rotation.from_rotvec(tangents(2.0)[:, 3:].numpy()).as_matrix()
    np.testing.assert_allclose(se3.rotation_matrix(pose), theirs, atol=1e-14)


def test_products_and_inverses_are_those_of_matrices() -> None:
    a, b = se3.exp(tangents(2.0)), se3.exp(tangents(1.0).flip(0))
    torch.testing.assert_close(
        se3.matrix(se3.multiply(a, b)), se3.matrix(a) @ se3.matrix(b), rtol=0, atol=1e-13
    )
    torch.testing.assert_close(
        se3.matrix(se3.inverse(a)), torch.linalg.inv(se3.matrix(a)), rtol=0, atol=1e-13
    )


def test_points_are_moved_as_by_matrices() -> None:
    pose, points = se3.exp(tangents(2.0)), tangents(1.0)[:, :3]
    homogeneous = torch.cat([points, torch.ones(len(points), 1)], dim=-1)[..., None]
    moved = (se3.matrix(pose) @ homogeneous)[:, :3, 0]
    torch.testing.assert_close(se3.act(pose, points), moved, rtol=0, atol=1e-13)


def test_the_adjoint_takes_a_tangent_to_the_other_side() -> None:
    pose, tangent = se3.exp(tangents(2.0)), tangents(0.7).flip(0)
    moved = (se3.adjoint(pose) @ tangent[..., None])[..., 0]
    torch.testing.assert_close(
        se3.matrix(se3.multiply(pose, se3.exp(tangent))),
        se3.matrix(se3.retract(pose, moved)),
        rtol=0,
        atol=1e-12,
    )


def test_a_quaternion_keeps_its_length_over_many_steps() -> None:
    pose = se3.exp(tangents(1.0, torch.float32))
    for _ in range(500):
        pose = se3.retract(pose, tangents(0.5, torch.float32))
    torch.testing.assert_close(pose[:, 3:].norm(dim=-1), torch.ones(len(pose)))


@pytest.mark.parametrize("angle", [0.0, 0.2, 2.0])
def test_derivatives_are_those_of_finite_differences(angle: float) -> None:
    given = tangents(angle, count=2)
    assert torch.autograd.gradcheck(se3.exp, given.clone().requires_grad_())
    assert torch.autograd.gradcheck(
        lambda step: se3.log(se3.retract(se3.exp(given), step)),
        torch.zeros(2, 6, dtype=torch.float64, requires_grad=True),
    )


@pytest.mark.parity
def test_exp_equals_the_originals(goldens: Any) -> None:
    golden = goldens.load("megasam_droid")
    ours = se3.exp(torch.from_numpy(golden["se3_tangent"])).numpy()
    theirs = golden["se3_exp"][:, [0, 1, 2, 6, 3, 4, 5]]
    assert np.abs(ours - theirs).max() / theirs.std() < 1e-5
