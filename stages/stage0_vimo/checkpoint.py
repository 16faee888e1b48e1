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
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor

from stages.stage0_vimo.network import Vimo, VimoConfig
from stages.stage0_vimo.network.temporal import sinusoidal_table

METADATA_CONFIG = "config"


def load_network(path: Path) -> Vimo:
    """A network in evaluation mode, float32, on the CPU, from either kind of file.

    Raises ValueError when the file is not a VIMO checkpoint.
    """
    if path.suffix == ".safetensors":
        return _load_safetensors(path)
    try:
        content = torch.load(path, map_location="cpu", weights_only=True, mmap=True)
    except Exception as error:
        raise ValueError(f"{path}: cannot be read as a torch checkpoint ({error})") from error
    if not isinstance(content, Mapping) or not isinstance(content.get("model"), Mapping):
        raise ValueError(f"{path}: no entry 'model'; expected the official vimo_checkpoint.pth.tar")
    return network_from_state(content["model"], VimoConfig(), str(path))


def save_network(network: Vimo, path: Path, about: Mapping[str, str]) -> None:
    """Write half-precision safetensors; `about` joins the metadata (how it was made)."""
    fixed = {"st_module.pos_embedding.pe", "motion_module.pos_embedding.pe", "initialized"}
    state = {
        name: value.detach().half().contiguous().cpu()
        for name, value in network.state_dict().items()
        if name not in fixed
    }
    save_file(state, path, {METADATA_CONFIG: json.dumps(asdict(network.config)), **about})


def network_from_state(state: Mapping[str, Tensor], config: VimoConfig, source: str) -> Vimo:
    """Fill a network of the given sizes from a state dict.

    Position tables may be missing (they are fixed); anything else missing, of another shape or
    unknown raises ValueError that names `source`.
    """
    with torch.device("meta"):
        network = Vimo(config)
    expected = network.state_dict()
    given = {k: v for k, v in state.items() if not k.startswith("smpl.") and k != "initialized"}
    given["initialized"] = torch.tensor(True)
    for name, dim in (("st_module", config.spacetime_dim), ("motion_module", config.motion_dim)):
        table = f"{name}.pos_embedding.pe"
        given.setdefault(table, sinusoidal_table(expected[table].shape[0], dim))
    wrong = sorted(expected.keys() ^ given.keys())
    wrong += [k for k in expected.keys() & given.keys() if expected[k].shape != given[k].shape]
    if wrong:
        raise ValueError(
            f"{source}: not a VIMO checkpoint of these sizes; {len(wrong)} entries are missing, "
            f"unknown or of another shape, first {', '.join(wrong[:3])}"
        )
    floats = {k: v.float() if v.is_floating_point() else v for k, v in given.items()}
    network.load_state_dict(floats, assign=True)
    return network.eval().requires_grad_(False)


def _load_safetensors(path: Path) -> Vimo:
    with safe_open(path, framework="pt") as file:
        metadata = file.metadata() or {}
        state = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (no mapping)
    if METADATA_CONFIG not in metadata:
        raise ValueError(f"{path}: no '{METADATA_CONFIG}' in its metadata; not written for VIMO")
    return network_from_state(state, VimoConfig(**json.loads(metadata[METADATA_CONFIG])), str(path))
