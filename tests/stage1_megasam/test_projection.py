"""Cells seen in other frames: derivatives, and the original's numbers."""

import numpy as np
import pytest
import torch

from stages.geometry import se3
from stages.stage1_megasam.projection import Scene, see, see_with_jacobians
from tests.stage1_megasam.problems import golden_scene, relative_error

Golden = dict[str, np.ndarray]
SOURCES, TARGETS = torch.tensor([0, 1, 2]), torch.tensor([1, 2, 0])


@pytest.fixture
def scene() -> Scene:
    """Three cameras that look at much the same place; both focal lengths are equal."""
    random = torch.Generator().manual_seed(0)
    tangents = 0.1 * torch.randn(3, 6, generator=random, dtype=torch.float64)
    disparity = 0.3 + torch.rand(3, 4, 5, generator=random, dtype=torch.float64)
    return Scene(se3.exp(tangents), disparity, torch.tensor([5.0, 5.0, 2.0, 1.5]).double())


def test_without_motion_every_cell_stays(scene: Scene) -> None:
    still = Scene(scene.T_camera_world[:1].expand(3, 7), scene.disparity, scene.intrinsics)
    found = see(still, SOURCES, TARGETS)
    x, y = torch.meshgrid(torch.arange(5.0), torch.arange(4.0), indexing="xy")
    grid = torch.stack([x, y], dim=-1).double().expand(3, 4, 5, 2)
    torch.testing.assert_close(found.places, grid)
    assert found.valid.all()


def test_a_step_forward_enlarges_about_the_middle(scene: Scene) -> None:
    forward = torch.zeros(2, 6, dtype=torch.float64)
    forward[1, 2] = -0.5
    flat = torch.ones_like(scene.disparity)
    found = see(Scene(se3.exp(forward), flat, scene.intrinsics), SOURCES[:1], TARGETS[:1])
    assert found.places[0, 3, 4].tolist() == pytest.approx([2.0 + 2 * 2.0, 1.5 + 2 * 1.5])


def test_points_at_infinity_do_not_move_with_the_camera(scene: Scene) -> None:
    aside = torch.zeros(2, 6, dtype=torch.float64)
    aside[1, :3] = torch.tensor([3.0, -2.0, 1.0])
    far = Scene(se3.exp(aside), torch.zeros_like(scene.disparity), scene.intrinsics)
    assert see(far, SOURCES[:1], TARGETS[:1]).places[0, 2, 3].tolist() == pytest.approx([3.0, 2.0])


@pytest.mark.parametrize(("ahead", "valid"), [(0.25, True), (0.15, False), (-3.0, False)])
def test_what_comes_too_near_is_not_valid_but_finite(
    scene: Scene, ahead: float, valid: bool
) -> None:
    """`ahead`: depth of a place of depth 1 after the camera's step."""
    forward = torch.zeros(2, 6, dtype=torch.float64)
    forward[1, 2] = ahead - 1
    near = Scene(se3.exp(forward), torch.ones_like(scene.disparity), scene.intrinsics)
    seen, jacobians = see_with_jacobians(near, SOURCES[:1], TARGETS[:1])
    assert (seen.valid == valid).all()
    assert all(value.isfinite().all() for value in (seen.places, *vars(jacobians).values()))


def test_jacobians_are_the_derivatives(scene: Scene) -> None:
    def places(steps: torch.Tensor, deeper: torch.Tensor, focal: torch.Tensor) -> torch.Tensor:
        grown = torch.cat([focal, focal, torch.zeros(2)]) * scene.width
        moved = Scene(
            se3.retract(scene.T_camera_world, steps),
            scene.disparity + deeper,
            scene.intrinsics + grown,
        )
        return see(moved, SOURCES, TARGETS).places

    start = (torch.zeros(3, 6).double(), torch.zeros_like(scene.disparity), torch.zeros(1).double())
    by_pose, by_depth, by_focal = torch.autograd.functional.jacobian(places, start)
    _, ours = see_with_jacobians(scene, SOURCES, TARGETS)
    for edge, (i, j) in enumerate(zip(SOURCES, TARGETS, strict=True)):
        torch.testing.assert_close(ours.source[edge], by_pose[edge, ..., i, :])
        torch.testing.assert_close(ours.target[edge], by_pose[edge, ..., j, :])
        for row, column in ((0, 0), (2, 3)):
            own = by_depth[edge, row, column, :, i, row, column]
            torch.testing.assert_close(ours.disparity[edge, row, column], own)
    torch.testing.assert_close(ours.focal, by_focal[..., 0])


@pytest.mark.parity
def test_jacobians_equal_the_originals(megasam_golden: Golden) -> None:
    scene = golden_scene(megasam_golden, "ba_intrinsics_off")
    ii, jj = (torch.from_numpy(megasam_golden[name])[::5] for name in ("ba_ii", "ba_jj"))
    seen, ours = see_with_jacobians(scene, ii, jj)
    values = {
        "coords": seen.places,
        "valid": seen.valid.float()[..., None],
        "Ji": ours.source,
        "Jj": ours.target,
        "Jz": ours.disparity[..., None],
        "Jf_times_width": ours.focal[..., None],
    }
    for name, value in values.items():
        error = relative_error(value[None, :, ::6, ::8], megasam_golden[f"jac_{name}"])
        assert error < 1e-5, f"{name}: {error}"
