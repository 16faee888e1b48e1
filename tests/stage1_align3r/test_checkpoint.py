"""Checkpoints of the official layout, and files that are not of it."""

import argparse
import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

from stages.stage1_align3r.checkpoint import load_network, network_from_state
from stages.stage1_align3r.network import Align3rNet
from stages.weights.errors import WeightsError
from stages.weights.locate import is_demo
from stages.weights.names import chosen
from stages.weights.sized import save_sized
from tests.stage1_align3r.small import SMALL, small_network


@pytest.fixture
def state() -> dict[str, torch.Tensor]:
    """As an official file of this size would have it."""
    state = dict(small_network().state_dict())
    for head in (1, 2):
        scratch = f"downstream_head{head}.dpt.scratch"
        for level in range(4):
            again = state[f"{scratch}.layer_rn.{level}.weight"].clone()
            state[f"{scratch}.layer{level + 1}_rn.weight"] = again
    return state | {"mask_token": torch.zeros(1, 1, 64)}


@pytest.mark.parity
def test_the_official_keys_and_shapes_are_known(goldens: Any) -> None:
    official = json.loads((goldens.folder / "align3r.keys.json").read_text())["keys"]
    with torch.device("meta"):
        ours = {k: list(v.shape) for k, v in Align3rNet().state_dict().items()}
    assert {k: official.get(k) for k in ours} == ours
    again = {k for k in official if "_rn.weight" in k}
    assert set(official) - set(ours) == again | {"mask_token"}


def test_all_of_a_file_s_tensors_arrive(state: dict[str, torch.Tensor]) -> None:
    network = network_from_state(state, "a state dict", SMALL)
    for name, value in network.state_dict().items():
        assert torch.equal(value, state[name])


def test_two_names_of_a_layer_must_say_the_same(state: dict[str, torch.Tensor]) -> None:
    name = "downstream_head2.dpt.scratch.layer3_rn.weight"
    state[name] = state[name] + 1
    with pytest.raises(WeightsError, match=rf"x\.pth.*{name}.*layer_rn\.2.*differ"):
        network_from_state(state, "x.pth", SMALL)


def test_a_missing_entry_is_named(state: dict[str, torch.Tensor]) -> None:
    del state["zero_convs.1.0.bias"]
    with pytest.raises(WeightsError, match=r"x\.pth.*zero_convs\.1\.0\.bias"):
        network_from_state(state, "x.pth", SMALL)


def test_a_file_of_another_size_is_refused(state: dict[str, torch.Tensor], tmp_path: Path) -> None:
    args = argparse.Namespace(model="AsymmetricCroCo3DStereo(...)", epochs=50)
    torch.save({"args": args, "model": state}, tmp_path / "small.pth")
    with pytest.raises(WeightsError, match=r"small\.pth.*Align3R network.*\(1024,\)"):
        load_network(tmp_path / "small.pth")


def test_a_bare_state_dict_is_no_such_file(state: dict[str, torch.Tensor], tmp_path: Path) -> None:
    torch.save(state, tmp_path / "bare.pth")
    with pytest.raises(WeightsError, match=r"bare\.pth.*entry 'model'"):
        load_network(tmp_path / "bare.pth")


def test_of_two_names_of_a_layer_one_is_enough(state: dict[str, torch.Tensor]) -> None:
    scratch = "downstream_head1.dpt.scratch"
    del state[f"{scratch}.layer_rn.2.weight"], state[f"{scratch}.layer2_rn.weight"]
    network = network_from_state(state, "a state dict", SMALL)
    for level in (1, 2):
        other = f"{scratch}.layer_rn.1.weight" if level == 1 else f"{scratch}.layer3_rn.weight"
        found = network.state_dict()[f"{scratch}.layer_rn.{level}.weight"]
        assert torch.equal(found, state[other])
    del state[f"{scratch}.layer3_rn.weight"]
    with pytest.raises(WeightsError, match=r"layer_rn\.2\.weight"):
        network_from_state(state, "x.pth", SMALL)


def test_a_file_of_this_project_tells_its_sizes(tmp_path: Path) -> None:
    made = small_network()
    save_sized(made, tmp_path / "small.safetensors", {})
    network = load_network(tmp_path / "small.safetensors")
    assert network.config == SMALL
    for name, value in network.state_dict().items():
        torch.testing.assert_close(value, made.state_dict()[name], rtol=1e-3, atol=1e-3)


def test_safetensors_without_sizes_are_of_the_official_ones(tmp_path: Path) -> None:
    save_file(
        {k: v.clone() for k, v in small_network().state_dict().items()}, tmp_path / "x.safetensors"
    )
    with pytest.raises(WeightsError, match=r"Align3R network.*\(1024,"):
        load_network(tmp_path / "x.safetensors")


def test_the_demo_s_is_found_where_the_official_one_is_not(tmp_path: Path) -> None:
    small = tmp_path / "demo" / "align3r" / "align3r.safetensors"
    small.parent.mkdir(parents=True)
    save_sized(small_network(), small, {})
    assert chosen("align3r", tmp_path) == small
    assert load_network(chosen("align3r", tmp_path)).config == SMALL
    assert is_demo(small), "so that the stage says what it knows"
    (tmp_path / "align3r_depthpro.pth").touch()
    assert chosen("align3r", tmp_path).name == "align3r_depthpro.pth"
