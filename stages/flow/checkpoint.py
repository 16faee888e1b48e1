"""Checkpoints of RAFT: the official files, and this project's of any size.

Official: a bare state dict with `module.` before every key.
"""

from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor

from stages.flow.config import RaftConfig
from stages.flow.raft import Raft
from stages.weights.sized import filled, read_sized

_PREFIX = "module."
_NAME = "RAFT"


def load_flow(path: Path) -> Raft:
    """RAFT in evaluation mode, float32, on the CPU.

    Raises:
        WeightsError: the file is missing, damaged or not exactly of its layout.
    """
    state, sizes = read_sized(path, _NAME)
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
    bare = {key.removeprefix(_PREFIX): value for key, value in state.items()}
    return filled(network, bare, source, _NAME)
