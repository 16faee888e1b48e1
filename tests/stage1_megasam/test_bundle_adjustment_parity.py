"""Bundle adjustment takes the steps that the original takes."""

import numpy as np
import pytest
import torch

from stages.stage1_megasam.bundle_adjustment import MonoPrior, Solve, adjust, adjust_cameras
from tests.stage1_megasam.problems import WXYZ_FIRST, golden_edges, golden_scene, relative_error

Golden = dict[str, np.ndarray]
pytestmark = pytest.mark.parity
BOUND = 1e-3
FRONT = Solve(2, 6, relative_damping=1e-4, absolute_damping=0.1)
BACK = Solve(2, 6, relative_damping=1e-5, absolute_damping=1e-2)
FOCAL = Solve(2, 6, relative_damping=1e-5, absolute_damping=1e-2, focal=True)
CASES = {
    "ba_mono": (FRONT, 0.05),
    "ba_nomono": (BACK, None),
    "ba_alpha0.005": (BACK, 0.005),
    "baf_mono": (FOCAL, 0.05),
    "baf_nomono": (FOCAL, None),
}


@pytest.mark.parametrize("iterations", [1, 4])
@pytest.mark.parametrize("case", CASES)
def test_scenes_after_steps(megasam_golden: Golden, case: str, iterations: int) -> None:
    solve, weight = CASES[case]
    scene = golden_scene(megasam_golden, "ba_intrinsics_off" if solve.focal else "ba_intrinsics")
    mono = torch.from_numpy(megasam_golden["ba_mono"])[0]
    prior = MonoPrior(mono, weight) if weight is not None else None
    found = adjust(scene, golden_edges(megasam_golden), prior, solve, iterations)
    golden = {name: megasam_golden[f"{case}_{iterations}_{name}"][0] for name in ("poses", "disps")}
    assert relative_error(found.T_camera_world, golden["poses"][:, WXYZ_FIRST]) < BOUND
    assert relative_error(found.disparity, golden["disps"]) < BOUND
    if solve.focal:
        theirs = megasam_golden[f"{case}_{iterations}_intrinsics"][0, 0]
        np.testing.assert_allclose(found.intrinsics.numpy(), theirs, rtol=BOUND)


def test_cameras_alone(megasam_golden: Golden) -> None:
    """The reference damps the blocks between cameras too, which its CUDA code does not."""
    scene = golden_scene(megasam_golden, "ba_intrinsics")
    found = adjust_cameras(scene, golden_edges(megasam_golden), FRONT, 1)
    theirs = megasam_golden["motion_only_ba_poses"][0][:, WXYZ_FIRST]
    assert relative_error(found.T_camera_world, theirs) < 1e-3
    assert torch.equal(found.disparity, scene.disparity)
