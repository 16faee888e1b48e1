"""Bundle adjustment on small scenes: whole Gauss-Newton steps, truth, and what must stay."""

from dataclasses import replace

import pytest
import torch

from stages.geometry import se3
from stages.stage1_megasam.bundle_adjustment import (
    FlowEdges,
    MonoPrior,
    Solve,
    adjust,
    adjust_cameras,
)
from stages.stage1_megasam.projection import Scene, see

CAMERAS, HIGH, WIDE = 5, 5, 6
SURE = Solve(2, CAMERAS, relative_damping=1e-9, absolute_damping=1e-9)


def random(*shape: int, seed: int = 0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, generator=generator, dtype=torch.float64)


@pytest.fixture
def truth() -> Scene:
    """Cameras that move aside, before a bumpy wall."""
    tangents = 0.04 * random(CAMERAS, 6)
    tangents[:, 0] += 0.15 * torch.arange(CAMERAS)
    disparity = 0.8 + 0.2 * random(CAMERAS, HIGH, WIDE, seed=1).tanh()
    return Scene(se3.exp(tangents), disparity, torch.tensor([7.0, 7.0, 2.5, 2.0]).double())


@pytest.fixture
def edges(truth: Scene) -> FlowEdges:
    """Exact flow, in no order; frames have two to five edges, and one edge is there twice."""
    pairs = [(i, j) for i in range(CAMERAS) for j in range(CAMERAS) if 0 < abs(i - j) < 3]
    pairs = [*pairs[::2], *pairs[1::2], (1, 4), (1, 4)]
    sources, targets = torch.tensor(pairs).T
    weights = 500 * random(len(pairs), HIGH, WIDE, 2, seed=2).sigmoid()
    damping = torch.full((CAMERAS, HIGH, WIDE), 1e-6).double()
    return FlowEdges(sources, targets, see(truth, sources, targets).places, weights, damping)


@pytest.fixture
def wrong(truth: Scene) -> Scene:
    """Not far from the truth; the first two cameras are true, which sets place and scale."""
    steps = 0.02 * random(CAMERAS, 6, seed=3)
    steps[:2] = 0
    return replace(
        truth,
        T_camera_world=se3.retract(truth.T_camera_world, steps),
        disparity=truth.disparity + 0.05 * random(CAMERAS, HIGH, WIDE, seed=4),
    )


def assert_close(a: Scene, b: Scene, tolerance: float = 1e-9) -> None:
    assert torch.allclose(a.T_camera_world, b.T_camera_world, rtol=0, atol=tolerance)
    assert torch.allclose(a.disparity, b.disparity, rtol=0, atol=tolerance)
    assert torch.allclose(a.intrinsics, b.intrinsics, rtol=0, atol=tolerance)


def whole_step(scene: Scene, edges: FlowEdges, prior: MonoPrior | None, solve: Solve) -> Scene:
    """One Gauss-Newton step on all unknowns at once, derivatives by differentiation."""
    free = 6 * (solve.end - solve.first)
    cells = scene.disparity.numel()

    def moved(step: torch.Tensor) -> Scene:
        tangents = torch.zeros(CAMERAS, 6).double()
        tangents[solve.first : solve.end] = step[:free].view(-1, 6)
        grown = scene.width * step[free] * torch.tensor([1, 1, 0, 0])
        return Scene(
            se3.retract(scene.T_camera_world, tangents),
            scene.disparity + step[free + 1 :].view_as(scene.disparity),
            scene.intrinsics + grown,
        )

    def residuals(step: torch.Tensor) -> torch.Tensor:
        at = moved(step)
        seen = see(at, edges.sources, edges.targets)
        flow = (1e-3 * edges.weights * seen.valid[..., None]).sqrt() * (edges.places - seen.places)
        if prior is None:
            return flow.flatten()
        pull = prior.weight**0.5 * (prior.disparity - at.disparity) * (prior.disparity > 0)
        return torch.cat([flow.flatten(), pull.flatten()])

    start = torch.zeros(free + 1 + cells).double()
    slopes = torch.autograd.functional.jacobian(residuals, start, vectorize=True)
    system = slopes.T @ slopes
    diagonal = system.diagonal()
    head = diagonal[: free + 1]
    head += solve.absolute_damping + solve.relative_damping * head
    known = torch.zeros(cells, dtype=torch.bool)
    if prior is not None:
        known = (prior.disparity > 0).flatten()
    diagonal[free + 1 :] += torch.where(known, 0, edges.damping.flatten()) + 1e-7
    if not solve.focal:
        system[free] = system[:, free] = 0
        system[free, free] = 1
    pull = -slopes.T @ residuals(start)
    pull[free] *= solve.focal
    return moved(torch.linalg.solve(system, pull))


@pytest.mark.parametrize("focal", [False, True])
@pytest.mark.parametrize("weight", [None, 0.01])
def test_a_step_is_that_of_the_whole_system(
    truth: Scene, wrong: Scene, edges: FlowEdges, focal: bool, weight: float | None
) -> None:
    prior = None
    if weight is not None:
        known = random(CAMERAS, HIGH, WIDE, seed=5) > 0
        prior = MonoPrior(truth.disparity * 1.1 * known, weight)
    solve = Solve(1, CAMERAS - 1, relative_damping=1e-2, absolute_damping=1e-3, focal=focal)
    found = adjust(wrong, edges, prior, solve, 1)
    assert_close(found, whole_step(wrong, edges, prior, solve))


def test_exact_flow_leads_back_to_cameras_and_depth(
    truth: Scene, wrong: Scene, edges: FlowEdges
) -> None:
    assert_close(adjust(wrong, edges, None, SURE, 8), truth, 1e-4)


def test_exact_flow_leads_back_to_the_focal(truth: Scene, wrong: Scene, edges: FlowEdges) -> None:
    longer = replace(wrong, intrinsics=truth.intrinsics * torch.tensor([1.1, 1.1, 1, 1]))
    found = adjust(longer, edges, None, replace(SURE, focal=True), 12)
    assert found.intrinsics.tolist() == pytest.approx(truth.intrinsics.tolist(), rel=1e-3)


def test_focal_lengths_keep_their_ratio(truth: Scene, wrong: Scene, edges: FlowEdges) -> None:
    uneven = replace(wrong, intrinsics=torch.tensor([7.7, 7.9, 2.5, 2.0]).double())
    fx, fy, *middle = adjust(uneven, edges, None, replace(SURE, focal=True), 1).intrinsics.tolist()
    assert fx != 7.7 and fy / fx == pytest.approx(7.9 / 7.7)
    assert middle == [2.5, 2.0]


def test_known_depth_leads_back_to_cameras(truth: Scene, wrong: Scene, edges: FlowEdges) -> None:
    known = replace(wrong, disparity=truth.disparity)
    assert_close(adjust_cameras(known, edges, SURE, 5), truth, 1e-6)


def test_cameras_outside_of_the_window_stay(wrong: Scene, edges: FlowEdges) -> None:
    found = adjust(wrong, edges, None, replace(SURE, first=2, end=4), 1).T_camera_world
    for camera in range(CAMERAS):
        stayed = torch.equal(found[camera], wrong.T_camera_world[camera])
        assert stayed == (camera not in (2, 3))


def test_a_strong_prior_holds_where_there_is_one(
    truth: Scene, wrong: Scene, edges: FlowEdges
) -> None:
    mono = torch.zeros_like(truth.disparity)
    mono[:, :2] = 0.7
    found = adjust(wrong, edges, MonoPrior(mono, 1e4), SURE, 3).disparity
    assert (found[:, :2] - 0.7).abs().max() < 1e-3
    assert (found[:, 2:] - 0.7).abs().max() > 0.1


def test_disparity_that_runs_away_begins_anew(wrong: Scene, edges: FlowEdges) -> None:
    mono = torch.zeros_like(wrong.disparity)
    mono[0, 0, 0], mono[0, 0, 1] = 11.0, 9.0
    still = replace(edges, weights=torch.zeros_like(edges.weights))
    found = adjust(wrong, still, MonoPrior(mono, 1e4), SURE, 1).disparity[0, 0]
    assert found[:2].tolist() == pytest.approx([1e-6, 9.0])


def test_a_system_without_a_minimum_moves_no_camera(wrong: Scene, edges: FlowEdges) -> None:
    nothing = replace(edges, weights=torch.zeros_like(edges.weights))
    undamped = Solve(2, CAMERAS, relative_damping=0, absolute_damping=0)
    assert_close(adjust(wrong, nothing, None, undamped, 1), wrong)


def test_batches_of_edges_and_frames_change_nothing(
    wrong: Scene, edges: FlowEdges, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_once = adjust(wrong, edges, None, SURE, 2)
    monkeypatch.setattr("stages.stage1_megasam.bundle_adjustment.linearise.EDGES_AT_ONCE", 3)
    monkeypatch.setattr("stages.stage1_megasam.bundle_adjustment.gauss_newton.FRAMES_AT_ONCE", 2)
    assert_close(adjust(wrong, edges, None, SURE, 2), at_once)
