"""The re-implemented tracker computes what the original computes, at the official size."""

import numpy as np
import pytest
import torch

from stages.flow.config import LEVELS
from stages.flow.correlation import CorrelationPyramid, look_up_on_the_fly
from stages.flow.grid import cell_grid
from stages.flow.upsampling import convex_upsample
from stages.stage1_megasam.network import (
    DroidNet,
    EdgeUpdate,
    FrameFeatures,
    GraphUpdate,
)
from stages.stage1_megasam.network.config import RADIUS
from stages.stage1_megasam.network.update import motion_features

Golden = dict[str, np.ndarray]
pytestmark = pytest.mark.parity
BOUND = 1e-4


def relative_error(ours: torch.Tensor, golden: np.ndarray) -> float:
    assert tuple(ours.shape) == golden.shape
    return float(np.abs(ours.numpy() - golden).max() / golden.std())


@pytest.fixture(scope="module")
def frames(seeded_tracker: DroidNet, megasam_golden: Golden) -> FrameFeatures:
    bgr = torch.from_numpy(megasam_golden["clip_bgr_u8"]).float()
    with torch.inference_mode():
        return seeded_tracker.frame_features(bgr.flip(-1).movedim(-1, 1))


@pytest.fixture(scope="module")
def edges(megasam_golden: Golden) -> tuple[torch.Tensor, torch.Tensor]:
    return torch.from_numpy(megasam_golden["ii"]), torch.from_numpy(megasam_golden["jj"])


@pytest.fixture(scope="module")
def pyramid(frames: FrameFeatures, edges: tuple[torch.Tensor, torch.Tensor]) -> CorrelationPyramid:
    ii, jj = edges
    return CorrelationPyramid.between(frames.matching[ii], frames.matching[jj], LEVELS, RADIUS)


def step(
    network: DroidNet,
    frames: FrameFeatures,
    pyramid: CorrelationPyramid,
    ii: torch.Tensor,
    state: torch.Tensor,
    places: torch.Tensor,
    targets: torch.Tensor,
) -> GraphUpdate:
    motion = motion_features(places, targets)
    with torch.inference_mode():
        return network.update(state, frames.context[ii], pyramid.look_up(places), motion, ii, 3)


@pytest.fixture(scope="module")
def steps(
    seeded_tracker: DroidNet,
    frames: FrameFeatures,
    pyramid: CorrelationPyramid,
    edges: tuple[torch.Tensor, torch.Tensor],
    megasam_golden: Golden,
) -> list[GraphUpdate]:
    ii, _ = edges
    places = torch.from_numpy(megasam_golden["coords1"])[0]
    targets = torch.from_numpy(megasam_golden["target"])[0]
    first = step(seeded_tracker, frames, pyramid, ii, frames.state[ii], places, targets)
    delta = first.edges.delta
    second = step(
        seeded_tracker,
        frames,
        pyramid,
        ii,
        first.edges.state,
        places + 0.3 * delta,
        places + delta,
    )
    return [first, second]


def test_features_of_frames(frames: FrameFeatures, megasam_golden: Golden) -> None:
    for ours, name in ((frames.matching, "fnet"), (frames.state, "net"), (frames.context, "inp")):
        assert relative_error(ours[None, :, ::4], megasam_golden[f"{name}_slice"]) < BOUND


def test_look_up_in_the_volume(pyramid: CorrelationPyramid, megasam_golden: Golden) -> None:
    found = pyramid.look_up(torch.from_numpy(megasam_golden["coords1"])[0])
    assert relative_error(found[None, :, ::7], megasam_golden["corr_slice"]) < BOUND


def test_look_up_without_a_kept_volume(
    frames: FrameFeatures,
    pyramid: CorrelationPyramid,
    edges: tuple[torch.Tensor, torch.Tensor],
    megasam_golden: Golden,
) -> None:
    places = torch.from_numpy(megasam_golden["coords1"])[0]
    with torch.inference_mode():
        found = look_up_on_the_fly(frames.matching, *edges, places, LEVELS, RADIUS, 4)
        np.testing.assert_allclose(found, pyramid.look_up(places), atol=1e-5)
    assert relative_error(found[3:4, ::7], megasam_golden["altcorr_edge3_slice"]) < BOUND


@pytest.mark.parametrize("number", [1, 2])
def test_steps_of_the_update_operator(
    steps: list[GraphUpdate], megasam_golden: Golden, number: int
) -> None:
    one = steps[number - 1]
    ours = {
        "net": one.edges.state[None, :, ::8],
        "delta": one.edges.delta[None],
        "weight_raw": one.edges.weight[None],
        "eta": one.damping[None],
        "upmask": one.upsampling[None, :, ::16],
        "weight": one.weight[None],
        "static_prob": one.static,
    }
    for name, value in ours.items():
        error = relative_error(value, megasam_golden[f"step{number}_{name}"])
        assert error < BOUND, f"{name}: {error}"


def test_flow_without_a_graph_decides_on_keyframes(
    seeded_tracker: DroidNet, frames: FrameFeatures, megasam_golden: Golden
) -> None:
    pair = CorrelationPyramid.between(frames.matching[:1], frames.matching[1:2], LEVELS, RADIUS)
    grid = cell_grid(frames.state)
    none = torch.zeros(1, 4, *grid.shape[:2])
    with torch.inference_mode():
        found: EdgeUpdate = seeded_tracker.update.step(
            frames.state[:1], frames.context[:1], pair.look_up(grid[None]), none
        )
    assert relative_error(found.delta[None], megasam_golden["keyframe_test_delta"]) < BOUND
    mean = float(found.delta.norm(dim=-1).mean())
    assert mean == pytest.approx(megasam_golden["keyframe_test_mean_norm"][0], rel=1e-4)


def test_upsampling(steps: list[GraphUpdate], megasam_golden: Golden) -> None:
    coarse = torch.from_numpy(megasam_golden["upsample_in"])[0, :, None]
    fine = convex_upsample(coarse, steps[0].upsampling)[None, :, 0, ::2, ::2]
    assert relative_error(fine, megasam_golden["upsample_out"]) < BOUND
