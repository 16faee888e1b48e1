"""Checkpoints of the two-view network: the official files, and this project's of any size.

Official: `align3r_depthpro.pth`, whose entry `model` is the state dict, or safetensors without
sizes inside. The heads' first layers have two names, of which a file may have one or both.
"""

from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor

from stages.stage1_align3r.network import Align3rConfig, Align3rNet
from stages.weights.errors import WeightsError
from stages.weights.sized import filled, read_sized

_NAME = "Align3R network"
_UNUSED = "mask_token"
"""Of the pre-training, where it stands for patches that are left out."""

_LEVELS = 4


def load_network(path: Path) -> Align3rNet:
    """The network in evaluation mode, float32, on the CPU.

    Raises:
        WeightsError: the file is missing, damaged or not exactly of its layout.
    """
    state, sizes = read_sized(path, _NAME, official_entry="model")
    return network_from_state(state, path, Align3rConfig(**sizes))


def network_from_state(
    state: Mapping[str, Tensor], source: Path | str, config: Align3rConfig | None = None
) -> Align3rNet:
    """A network of the given sizes, filled from a state dict.

    Raises:
        WeightsError: a key is missing, of another shape or unknown, or two names of a layer differ;
            names `source` and the key.
    """
    with torch.device("meta"):
        network = Align3rNet(config)
    given = {key: value for key, value in state.items() if key != _UNUSED}
    for alias, name in _aliases().items():
        again = given.pop(alias, None)
        if again is not None and not torch.equal(again, given.setdefault(name, again)):
            raise WeightsError(f"{source}: {_NAME}'s {alias} and {name} are one layer and differ")
    return filled(network, given, source, _NAME)


def _aliases() -> dict[str, str]:
    """The second name of every layer that has two."""
    heads = [f"downstream_head{k}.dpt.scratch" for k in (1, 2)]
    return {
        f"{head}.layer{level + 1}_rn.weight": f"{head}.layer_rn.{level}.weight"
        for head in heads
        for level in range(_LEVELS)
    }
