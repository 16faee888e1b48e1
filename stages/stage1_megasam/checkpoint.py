"""Checkpoints of the tracker and of RAFT: the official files, and this project's of any size.

Official: bare state dicts with `module.` before every key. The two flow heads of
`megasam_final.pth` may have more outputs than are used: the first two count. Project: safetensors,
half precision, the sizes as JSON under the metadata key `config`.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, TypeVar

import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from stages.stage1_megasam.network import DroidConfig, DroidNet, Raft, RaftConfig
from stages.weights.errors import WeightsError, shown
from stages.weights.reading import read_safetensors, read_torch
from stages.weights.strict import check_state, entry, shapes_of

_PREFIX = "module."
_FLOW_HEADS = ("update.weight.2.", "update.delta.2.")
_CONFIG = "config"
_TRACKER, _RAFT = "MegaSaM tracker", "RAFT"

Network = TypeVar("Network", bound=nn.Module)


def load_tracker(path: Path) -> DroidNet:
    """The tracker in evaluation mode, float32, on the CPU.

    Raises:
        WeightsError: the file is missing, damaged or not exactly of its layout.
    """
    state, sizes = _read(path, _TRACKER)
    return tracker_from_state(state, path, DroidConfig(**sizes))


def tracker_from_state(
    state: Mapping[str, Tensor], source: Path | str, config: DroidConfig | None = None
) -> DroidNet:
    """A tracker of the given sizes, filled from a state dict.

    Raises:
        WeightsError: a key is missing, of another shape or unknown; names `source` and the key.
    """
    with torch.device("meta"):
        network = DroidNet(config)
    bare = {
        name: value[:2] if name.startswith(_FLOW_HEADS) else value
        for name, value in _without_prefix(state).items()
    }
    return _filled(network, bare, source, _TRACKER)


def load_flow(path: Path) -> Raft:
    """RAFT in evaluation mode, float32, on the CPU.

    Raises:
        WeightsError: the file is missing, damaged or not exactly of its layout.
    """
    state, sizes = _read(path, _RAFT)
    return flow_from_state(state, path, RaftConfig(**sizes))


def flow_from_state(
    state: Mapping[str, Tensor], source: Path | str, config: RaftConfig | None = None
) -> Raft:
    """RAFT of the given sizes, filled from a state dict.

    Raises:
        WeightsError: a key is missing, of another shape or unknown; names `source` and the key.
    """
    with torch.device("meta"):
        network = Raft(config)
    return _filled(network, _without_prefix(state), source, _RAFT)


def save_network(network: DroidNet | Raft, path: Path, about: Mapping[str, str]) -> None:
    """Writes half-precision safetensors; `about` joins the metadata (how it was made)."""
    state = {
        name: value.detach().half().cpu() if value.is_floating_point() else value.cpu()
        for name, value in network.state_dict().items()
    }
    # What a norm is called twice is stored twice: a file has no shared tensors.
    copies = {name: value.clone().contiguous() for name, value in state.items()}
    save_file(copies, path, {_CONFIG: json.dumps(asdict(network.config)), **about})


def _read(path: Path, name: str) -> tuple[Mapping[str, Tensor], dict[str, Any]]:
    """State and sizes; no sizes stand for the official ones."""
    if path.suffix != ".safetensors":
        return entry(read_torch(path), "", path, name), {}
    state, metadata = read_safetensors(path)
    if _CONFIG not in metadata:
        raise WeightsError(f"{shown(path)} is no {name}: no sizes inside")
    sizes = json.loads(metadata[_CONFIG])
    return state, {k: tuple(v) if isinstance(v, list) else v for k, v in sizes.items()}


def _without_prefix(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {key.removeprefix(_PREFIX): value for key, value in state.items()}


def _filled(
    network: Network, state: Mapping[str, Tensor], source: Path | str, name: str
) -> Network:
    check_state(state, shapes_of(network.state_dict()), source, name)
    floats = {k: v.float() if v.is_floating_point() else v for k, v in state.items()}
    network.load_state_dict(floats, assign=True)
    return network.eval().requires_grad_(False)
