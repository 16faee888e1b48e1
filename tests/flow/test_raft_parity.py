"""The re-implemented flow network computes what the original computes."""

from typing import Any

import numpy as np
import pytest
import torch

from stages.flow.checkpoint import flow_from_state
from stages.flow.grid import cell_grid
from stages.flow.raft import Flow, Raft

Golden = dict[str, np.ndarray]
Pair = tuple[torch.Tensor, torch.Tensor]
pytestmark = pytest.mark.parity
BOUND = 1e-3


def relative_error(ours: torch.Tensor, golden: np.ndarray) -> float:
    assert tuple(ours.shape) == golden.shape
    return float(np.abs(ours.numpy() - golden).max() / golden.std())


@pytest.fixture(scope="module")
def golden(goldens: Any) -> Golden:
    return goldens.load("raft")


@pytest.fixture(scope="module")
def network(goldens: Any) -> Raft:
    return flow_from_state(goldens.weights("raft"), "name-seeded weights")


@pytest.fixture(scope="module")
def pair(golden: Golden) -> Pair:
    first, second = (
        torch.from_numpy(golden[f"image{i}_u8"]).float().movedim(-1, 0)[None] for i in (1, 2)
    )
    return first, second


def flow(network: Raft, pair: Pair, iterations: int, start: torch.Tensor | None = None) -> Flow:
    with torch.inference_mode():
        return network(*pair, iterations, start)


def test_features_and_context(network: Raft, pair: Pair, golden: Golden) -> None:
    normal = pair[0] / 127.5 - 1
    with torch.inference_mode():
        features, context = network.fnet(normal), network.cnet(normal)
    assert relative_error(features[:, ::16], golden["fmap1_slice"]) < 1e-4
    assert relative_error(context[:, ::16], golden["cnet_slice"]) < 1e-4


def test_look_ups_of_the_first_two_steps(network: Raft, pair: Pair, golden: Golden) -> None:
    grid = cell_grid(torch.from_numpy(golden["flow_low_12"]))[None]
    with torch.inference_mode():
        volume = network.correlation(*pair)
    places = (grid, grid + flow(network, pair, 1).cells.movedim(1, -1))
    for i in (1, 2):
        found = volume.look_up(places[i - 1])[:, ::9]
        assert relative_error(found, golden[f"corr_iter{i}_slice"]) < BOUND


@pytest.mark.parametrize("iterations", [1, 4])
def test_flow_after_few_steps(network: Raft, pair: Pair, golden: Golden, iterations: int) -> None:
    found = flow(network, pair, iterations).pixels[..., ::2, ::2]
    assert relative_error(found, golden[f"flow_up_{iterations}"]) < BOUND


def test_flow_and_state_after_twelve_steps(network: Raft, pair: Pair, golden: Golden) -> None:
    found = flow(network, pair, 12)
    assert relative_error(found.pixels, golden["flow_up_12"]) < BOUND
    assert relative_error(found.cells, golden["flow_low_12"]) < BOUND
    assert relative_error(found.state[:, ::8], golden["net_12_slice"]) < BOUND


def test_flow_begun_with_a_given_one(network: Raft, pair: Pair, golden: Golden) -> None:
    found = flow(network, pair, 4, torch.from_numpy(golden["flow_init"]))
    assert relative_error(found.cells, golden["flow_low_4_from_init"]) < BOUND
    assert relative_error(found.pixels[..., ::2, ::2], golden["flow_up_4_from_init"]) < BOUND


def test_sides_that_do_not_divide_into_cells_are_refused(network: Raft) -> None:
    odd = torch.zeros(1, 3, 128, 132)
    with pytest.raises(ValueError, match=r"\(128, 132\): a side is no multiple of 8"):
        network(odd, odd, 1)


def test_no_iteration_is_refused(network: Raft, pair: Pair) -> None:
    with pytest.raises(ValueError, match="one iteration or more"):
        network(*pair, 0)
