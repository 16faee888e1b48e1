"""Checkpoints of the tracker and of RAFT: the official files' layout to this project's networks.

Both are bare state dicts with `module.` before every key. The two flow heads of
`megasam_final.pth` may have more outputs than are used: the first two count.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import TypeVar

import torch
from torch import Tensor, nn

from stages.stage1_megasam.network import DroidConfig, DroidNet, Raft
from stages.weights.reading import read_torch
from stages.weights.strict import check_state, entry, shapes_of

_PREFIX = "module."
_FLOW_HEADS = ("update.weight.2.", "update.delta.2.")

Network = TypeVar("Network", bound=nn.Module)


def load_tracker(path: Path) -> DroidNet:
    """The official tracker in evaluation mode, float32, on the CPU.

    Raises:
        WeightsError: the file is missing, damaged or not exactly of the official layout.
    """
    return tracker_from_state(entry(read_torch(path), "", path, "MegaSaM tracker"), path)


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
    return _filled(network, bare, source, "MegaSaM tracker")


def load_flow(path: Path) -> Raft:
    """The official RAFT in evaluation mode, float32, on the CPU.

    Raises:
        WeightsError: the file is missing, damaged or not exactly of the official layout.
    """
    return flow_from_state(entry(read_torch(path), "", path, "RAFT"), path)


def flow_from_state(state: Mapping[str, Tensor], source: Path | str) -> Raft:
    """RAFT, filled from a state dict.

    Raises:
        WeightsError: a key is missing, of another shape or unknown; names `source` and the key.
    """
    with torch.device("meta"):
        network = Raft()
    return _filled(network, _without_prefix(state), source, "RAFT")


def _without_prefix(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {key.removeprefix(_PREFIX): value for key, value in state.items()}


def _filled(
    network: Network, state: Mapping[str, Tensor], source: Path | str, name: str
) -> Network:
    check_state(state, shapes_of(network.state_dict()), source, name)
    floats = {k: v.float() if v.is_floating_point() else v for k, v in state.items()}
    network.load_state_dict(floats, assign=True)
    return network.eval().requires_grad_(False)
