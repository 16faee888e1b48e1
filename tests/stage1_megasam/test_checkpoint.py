"""Checkpoints of the official layout, and files that are not of it."""

from pathlib import Path

import pytest
import torch

from stages.flow.checkpoint import load_flow
from stages.stage1_megasam.checkpoint import load_tracker, tracker_from_state
from stages.stage1_megasam.network import DroidConfig, DroidNet
from stages.weights.errors import WeightsError

SMALL = DroidConfig(encoder=(4, 6, 8), features=8, hidden=8)


@pytest.fixture
def state() -> dict[str, torch.Tensor]:
    torch.manual_seed(0)
    return {f"module.{name}": value for name, value in DroidNet(SMALL).state_dict().items()}


def test_the_first_two_outputs_of_longer_flow_heads_count(state: dict[str, torch.Tensor]) -> None:
    longer = dict(state)
    for head in ("weight", "delta"):
        for name in (f"module.update.{head}.2.weight", f"module.update.{head}.2.bias"):
            longer[name] = torch.cat([state[name], torch.ones_like(state[name])])
    network = tracker_from_state(longer, "a state dict", SMALL)
    for name, value in network.state_dict().items():
        assert torch.equal(value, state[f"module.{name}"])


def test_a_missing_entry_is_named(state: dict[str, torch.Tensor]) -> None:
    del state["module.update.gru.w.bias"]
    with pytest.raises(WeightsError, match=r"x\.pth.*update\.gru\.w\.bias"):
        tracker_from_state(state, "x.pth", SMALL)


def test_a_file_of_another_size_is_refused(state: dict[str, torch.Tensor], tmp_path: Path) -> None:
    torch.save(state, tmp_path / "small.pth")
    with pytest.raises(WeightsError, match=r"small\.pth.*fnet\.conv1\.weight.*\(32, 3, 7, 7\)"):
        load_tracker(tmp_path / "small.pth")


def test_another_network_s_file_is_no_raft(state: dict[str, torch.Tensor], tmp_path: Path) -> None:
    torch.save(state, tmp_path / "raft.pth")
    with pytest.raises(WeightsError, match=r"raft\.pth.* RAFT"):
        load_flow(tmp_path / "raft.pth")
