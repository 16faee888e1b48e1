"""Checkpoints: the official layout, the project's own, and files that are neither."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from stages.stage0_vimo.checkpoint import load_network, network_from_state, save_network
from stages.stage0_vimo.network import Vimo, VimoConfig
from stages.weights.errors import WeightsError


@pytest.fixture(scope="module")
def small() -> Vimo:
    torch.manual_seed(3)
    return Vimo(VimoConfig.demo()).eval()


def test_a_saved_small_network_comes_back(small: Vimo, tmp_path: Path) -> None:
    save_network(small, tmp_path / "vimo.safetensors", {"made_by": "a test"})
    again = load_network(tmp_path / "vimo.safetensors")
    assert again.config == small.config
    features, info = torch.randn(1, 16, 192, small.config.dim), torch.randn(1, 16, 3)
    with torch.inference_mode():
        before, after = small(features, info).pose6d, again(features, info).pose6d
    assert (after - before).abs().max() < 5e-3 * before.std()


def test_the_demo_network_stays_small() -> None:
    assert sum(p.numel() for p in Vimo(VimoConfig.demo()).parameters()) <= 3_300_000


def test_body_model_buffers_in_a_checkpoint_are_dropped(small: Vimo) -> None:
    state = {**small.state_dict(), "smpl.faces": torch.zeros(3)}
    network_from_state(state, small.config, "a state dict")


def test_fixed_position_tables_may_be_missing(small: Vimo) -> None:
    state = {k: v for k, v in small.state_dict().items() if not k.endswith(".pe")}
    again = network_from_state(state, small.config, "a state dict")
    table = again.state_dict()["st_module.pos_embedding.pe"]
    assert torch.equal(table, small.state_dict()["st_module.pos_embedding.pe"])


def test_a_missing_entry_is_named(small: Vimo) -> None:
    state = {k: v for k, v in small.state_dict().items() if k != "smpl_head.init_betas"}
    with pytest.raises(WeightsError, match=r"x\.pth.*smpl_head\.init_betas"):
        network_from_state(state, small.config, "x.pth")


def test_a_safetensors_file_of_something_else_is_refused(tmp_path: Path) -> None:
    save_file({"weight": torch.zeros(3)}, tmp_path / "vimo.safetensors")
    with pytest.raises(WeightsError, match=r"vimo\.safetensors is no VIMO"):
        load_network(tmp_path / "vimo.safetensors")
