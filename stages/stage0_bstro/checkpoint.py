"""BSTRO checkpoints: the official files, and this project's safetensors of any size.

Official: `hsi_hrnet_3dpw_b32_checkpoint_15.bin`, a bare state dict; the vertex selection and the
pelvis that its template needs lie in data files of its code (see `official_data`), the body itself
is SMPL. Project: safetensors, half precision, the sizes as JSON under the metadata key `config`,
the template as tensor `template`.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float
from safetensors.torch import save_file
from torch import Tensor

from stages.stage0_bstro.network import Bstro, BstroConfig
from stages.weights.errors import WeightsError, shown
from stages.weights.reading import read_safetensors, read_torch
from stages.weights.strict import check_state, entry, shapes_of

METADATA_CONFIG = "config"
_TEMPLATE = "template"

# What the official file holds without any influence on the output, in full or not at all.
_UNUSED = re.compile(r"backbone\.classifier\.|trans_encoder\.\d\.bert\.(embeddings|pooler)\.")
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

    Raises:
        WeightsError: the file is missing, damaged or was not written for BSTRO.
    """
    state, metadata = read_safetensors(path)
    if METADATA_CONFIG not in metadata or _TEMPLATE not in state:
        raise WeightsError(f"{shown(path)} is no BSTRO: no sizes or no template inside")
    sizes: dict[str, Any] = json.loads(metadata[METADATA_CONFIG])
    settings: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in sizes.items()}
    config = BstroConfig(**settings)
    return network_from_state(state, state.pop(_TEMPLATE).float(), config, path)


def load_official_network(path: Path, template: Float[Tensor, "431 3"]) -> Bstro:
    """The official checkpoint in evaluation mode, float32, on the CPU.

    Raises:
        WeightsError: the file is missing, damaged or not exactly of the official layout.
    """
    state = entry(read_torch(path), "", path, "BSTRO")
    return network_from_state(state, template, BstroConfig(), path)


def network_from_state(
    state: Mapping[str, Tensor],
    template: Float[Tensor, "coarse 3"],
    config: BstroConfig,
    source: Path | str,
) -> Bstro:
    """Fill a network of the given sizes from a state dict.

    Entries without influence are dropped.

    Raises:
        WeightsError: anything is missing, of another shape or unknown; names `source` and the key.
    """
    with torch.device("meta"):
        network = Bstro(template, config)
    shapes = shapes_of(network.state_dict())
    used = {k: v for k, v in shapes.items() if not k.endswith(_COUNTER)}
    given = {k: v for k, v in state.items() if not _UNUSED.match(k) and not _is_counter(k, shapes)}
    check_state(given, used, source, "BSTRO")
    counters = {k: torch.tensor(0) for k in shapes if k.endswith(_COUNTER)}
    network.load_state_dict({k: v.float() for k, v in given.items()} | counters, assign=True)
    network.template = template
    return network.eval().requires_grad_(False)


def _is_counter(key: str, shapes: Mapping[str, tuple[int, ...]]) -> bool:
    return key.endswith(_COUNTER) and key in shapes
