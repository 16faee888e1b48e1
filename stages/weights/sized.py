"""This project's checkpoints of any size: safetensors that tell the sizes of their network.

Numbers are of half precision; the sizes are JSON under the metadata key `config`.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, TypeVar

from safetensors.torch import save_file
from torch import Tensor, nn

from stages.weights.reading import read_safetensors, read_torch
from stages.weights.strict import check_state, entry, shapes_of

_CONFIG = "config"
_SUFFIX = ".safetensors"

Network = TypeVar("Network", bound=nn.Module)


def save_sized(network: Any, path: Path, about: Mapping[str, str]) -> None:
    """Writes a network that has its sizes as `config`; `about` joins the metadata (how it was
    made)."""
    state = {
        name: value.detach().half().cpu() if value.is_floating_point() else value.cpu()
        for name, value in network.state_dict().items()
    }
    # What is called twice is stored twice: a file has no shared tensors.
    copies = {name: value.clone().contiguous() for name, value in state.items()}
    save_file(copies, path, {_CONFIG: json.dumps(asdict(network.config)), **about})


def read_sized(
    path: Path, name: str, official_entry: str = ""
) -> tuple[Mapping[str, Tensor], dict[str, Any]]:
    """State and sizes of a network; a file without sizes is of the official ones.

    Args:
        name: of the network, for errors.
        official_entry: of an official file of PyTorch that holds the state; `""`: all of it.

    Raises:
        WeightsError: the file is missing, damaged or holds no table of tensors.
    """
    if path.suffix != _SUFFIX:
        return entry(read_torch(path), official_entry, path, name), {}
    state, metadata = read_safetensors(path)
    sizes = json.loads(metadata.get(_CONFIG, "{}"))
    return state, {k: tuple(v) if isinstance(v, list) else v for k, v in sizes.items()}


def filled(network: Network, state: Mapping[str, Tensor], source: Path | str, name: str) -> Network:
    """A network, made on the device `meta`, with these numbers: in evaluation mode, float32.

    Raises:
        WeightsError: a key is missing, of another shape or unknown; names `source` and the key.
    """
    check_state(state, shapes_of(network.state_dict()), source, name)
    floats = {k: v.float() if v.is_floating_point() else v for k, v in state.items()}
    network.load_state_dict(floats, assign=True)
    return network.eval().requires_grad_(False)
