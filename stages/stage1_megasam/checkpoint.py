"""Checkpoints of the tracker: the official file, and this project's of any size.

Official: a bare state dict with `module.` before every key. The two flow heads of
`megasam_final.pth` may have more outputs than are used: the first two count.
"""

from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor

from stages.stage1_megasam.network import DroidConfig, DroidNet
from stages.weights.sized import filled, read_sized

_PREFIX = "module."
_FLOW_HEADS = ("update.weight.2.", "update.delta.2.")
_NAME = "MegaSaM tracker"


def load_tracker(path: Path) -> DroidNet:
    """The tracker in evaluation mode, float32, on the CPU.

    Raises:
        WeightsError: the file is missing, damaged or not exactly of its layout.
    """
    state, sizes = read_sized(path, _NAME)
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
    bare = {key.removeprefix(_PREFIX): value for key, value in state.items()}
    used = {k: v[:2] if k.startswith(_FLOW_HEADS) else v for k, v in bare.items()}
    return filled(network, used, source, _NAME)
