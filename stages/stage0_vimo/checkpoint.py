"""VIMO checkpoints: the official file, and this project's safetensors of any size.

Official: `vimo_checkpoint.pth.tar`, a pickle whose entry `model` holds the state dict; entries
`smpl.*` are body-model buffers and are dropped. Project: safetensors, half precision, the sizes as
JSON under the metadata key `config`.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor

from stages.stage0_vimo.network import Vimo, VimoConfig
from stages.stage0_vimo.network.temporal import sinusoidal_table
from stages.weights.errors import WeightsError, shown
from stages.weights.reading import read_safetensors, read_torch
from stages.weights.strict import check_state, entry, shapes_of

METADATA_CONFIG = "config"


def load_network(path: Path) -> Vimo:
    """A network in evaluation mode, float32, on the CPU, from either kind of file.

    Raises:
        WeightsError: the file is missing, damaged or not exactly of either layout.
    """
    if path.suffix == ".safetensors":
        return _load_safetensors(path)
    state = entry(read_torch(path), "model", path, "VIMO")
    return network_from_state(state, VimoConfig(), path)


def save_network(network: Vimo, path: Path, about: Mapping[str, str]) -> None:
    """Write half-precision safetensors; `about` joins the metadata (how it was made)."""
    fixed = {"st_module.pos_embedding.pe", "motion_module.pos_embedding.pe", "initialized"}
    state = {
        name: value.detach().half().contiguous().cpu()
        for name, value in network.state_dict().items()
        if name not in fixed
    }
    save_file(state, path, {METADATA_CONFIG: json.dumps(asdict(network.config)), **about})


def network_from_state(state: Mapping[str, Tensor], config: VimoConfig, source: Path | str) -> Vimo:
    """Fill a network of the given sizes from a state dict.

    Position tables may be missing (they are fixed); buffers of a body model are dropped.

    Raises:
        WeightsError: anything else is missing, of another shape or unknown; names `source` and
            the key.
    """
    with torch.device("meta"):
        network = Vimo(config)
    expected = shapes_of(network.state_dict())
    given = {k: v for k, v in state.items() if not k.startswith("smpl.") and k != "initialized"}
    given["initialized"] = torch.tensor(True)
    for name, dim in (("st_module", config.spacetime_dim), ("motion_module", config.motion_dim)):
        table = f"{name}.pos_embedding.pe"
        given.setdefault(table, sinusoidal_table(expected[table][0], dim))
    check_state(given, expected, source, "VIMO")
    floats = {k: v.float() if v.is_floating_point() else v for k, v in given.items()}
    network.load_state_dict(floats, assign=True)
    return network.eval().requires_grad_(False)


def _load_safetensors(path: Path) -> Vimo:
    state, metadata = read_safetensors(path)
    if METADATA_CONFIG not in metadata:
        raise WeightsError(f"{shown(path)} is no VIMO: no '{METADATA_CONFIG}' in its metadata")
    return network_from_state(state, VimoConfig(**json.loads(metadata[METADATA_CONFIG])), path)
