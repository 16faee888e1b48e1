"""Checkpoints of the two-view network: the official file's layout to this project's network."""

from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor

from stages.stage1_align3r.network import Align3rConfig, Align3rNet
from stages.weights.errors import WeightsError
from stages.weights.reading import read_torch
from stages.weights.strict import check_state, entry, shapes_of

_NAME = "Align3R network"
_UNUSED = frozenset({"mask_token"})
"""Of the pre-training, where it stands for patches that are left out."""

_LEVELS = 4


def load_network(path: Path) -> Align3rNet:
    """The official network in evaluation mode, float32, on the CPU.

    Raises:
        WeightsError: the file is missing, damaged or not exactly of the official layout.
    """
    return network_from_state(entry(read_torch(path), "model", path, _NAME), path)


def network_from_state(
    state: Mapping[str, Tensor], source: Path | str, config: Align3rConfig | None = None
) -> Align3rNet:
    """A network of the given sizes, filled from a state dict.

    The heads' first layers are in the file under two names, which must say the same.

    Raises:
        WeightsError: a key is missing, of another shape or unknown, or two names of a layer differ;
            names `source` and the key.
    """
    with torch.device("meta"):
        network = Align3rNet(config)
    expected = shapes_of(network.state_dict())
    aliases = _aliases()
    every = expected | {alias: expected[name] for alias, name in aliases.items()}
    check_state({k: v for k, v in state.items() if k not in _UNUSED}, every, source, _NAME)
    for alias, name in aliases.items():
        if not torch.equal(state[alias], state[name]):
            raise WeightsError(f"{source}: {_NAME}'s {alias} and {name} are one layer and differ")
    network.load_state_dict({name: state[name].float() for name in expected}, assign=True)
    return network.eval().requires_grad_(False)


def _aliases() -> dict[str, str]:
    """The second name of every layer that has two."""
    heads = [f"downstream_head{k}.dpt.scratch" for k in (1, 2)]
    return {
        f"{head}.layer{level + 1}_rn.weight": f"{head}.layer_rn.{level}.weight"
        for head in heads
        for level in range(_LEVELS)
    }
