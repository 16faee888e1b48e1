"""BSTRO checkpoints: the official files, and this project's safetensors of any size.

Official: `hsi_hrnet_3dpw_b32_checkpoint_15.bin`, a bare state dict; the vertex selection and the
pelvis that its template needs lie in data files of its code (see `official_data`), the body itself
is SMPL. Project: safetensors, half precision, the sizes as JSON under the metadata key `config`,
the template as tensor `template`.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor

from stages.stage0_bstro.network import Bstro, BstroConfig

METADATA_CONFIG = "config"
_TEMPLATE = "template"

# What the official file holds without any influence on the output.
_UNUSED = ("classifier.", "bert.embeddings.", "bert.pooler.")
_COUNTER = "num_batches_tracked"


def save_network(network: Bstro, path: Path, about: Mapping[str, str]) -> None:
    """Write half-precision safetensors; `about` joins the metadata (how it was made)."""
    state = {
        name: value.detach().half().contiguous().cpu()
        for name, value in network.state_dict().items()
        if not name.endswith(_COUNTER)
    }
    state[_TEMPLATE] = network.template.detach().half().contiguous().cpu()
    save_file(state, path, {METADATA_CONFIG: json.dumps(asdict(network.config)), **about})


def load_demo_network(path: Path) -> Bstro:
    """A network in evaluation mode, float32, from this project's safetensors.

    Raises ValueError when the file was not written for BSTRO.
    """
    with safe_open(path, framework="pt") as file:
        metadata = file.metadata() or {}
        state = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (no mapping)
    if METADATA_CONFIG not in metadata or _TEMPLATE not in state:
        raise ValueError(f"{path}: no sizes or no template inside; not written for BSTRO")
    sizes: dict[str, Any] = json.loads(metadata[METADATA_CONFIG])
    settings: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in sizes.items()}
    config = BstroConfig(**settings)
    return network_from_state(state, state.pop(_TEMPLATE).float(), config, str(path))


def load_official_network(path: Path, template: Float[Tensor, "431 3"]) -> Bstro:
    """The official checkpoint in evaluation mode, float32, on the CPU.

    Raises ValueError when the file is not one.
    """
    try:
        state = torch.load(path, map_location="cpu", weights_only=True, mmap=True)
    except Exception as error:
        raise ValueError(f"{path}: cannot be read as a torch checkpoint ({error})") from error
    if not isinstance(state, Mapping):
        raise ValueError(f"{path}: not a state dict; expected the official BSTRO file")
    return network_from_state(state, template, BstroConfig(), str(path))


def network_from_state(
    state: Mapping[str, Tensor],
    template: Float[Tensor, "coarse 3"],
    config: BstroConfig,
    source: str,
) -> Bstro:
    """Fill a network of the given sizes from a state dict.

    Entries without influence are dropped; anything missing, of another shape or unknown raises
    ValueError that names `source`.
    """
    network = Bstro(template, config)
    expected = {k: v for k, v in network.state_dict().items() if not k.endswith(_COUNTER)}
    given = {
        k: v
        for k, v in state.items()
        if not any(part in k for part in _UNUSED) and not k.endswith(_COUNTER)
    }
    wrong = sorted(expected.keys() ^ given.keys())
    wrong += [k for k in expected.keys() & given.keys() if expected[k].shape != given[k].shape]
    if wrong:
        raise ValueError(
            f"{source}: not a BSTRO checkpoint of these sizes; {len(wrong)} entries are missing, "
            f"unknown or of another shape, first {', '.join(wrong[:3])}"
        )
    counters = {
        k: torch.zeros((), dtype=v.dtype)
        for k, v in network.state_dict().items()
        if k.endswith(_COUNTER)
    }
    network.load_state_dict({k: v.float() for k, v in given.items()} | counters, assign=True)
    network.template = template
    return network.eval().requires_grad_(False)
