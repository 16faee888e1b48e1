"""Networks of transformers from a folder, loaded only if the file is exactly theirs."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from transformers.utils import logging

from stages.weights.errors import WeightsError, shown, shown_key, shown_text
from stages.weights.reading import read_safetensors
from stages.weights.strict import check_finite

CONFIG, WEIGHTS = "config.json", "model.safetensors"


def load_whole(network: Any, folder: Path, name: str) -> Any:
    """A network of a class of transformers, float32, on the CPU; `name` is what errors call it.

    Raises:
        WeightsError: a key is missing, unknown or of another shape, or a number is not finite.
    """
    with _quiet():
        # transformers knows older names of keys, and which of those that share a tensor may lack.
        model, info = network.from_pretrained(
            folder,
            dtype=torch.float32,
            local_files_only=True,
            output_loading_info=True,
            ignore_mismatched_sizes=True,
        )
    _check(folder / WEIGHTS, name, model, info)
    return model


def _check(path: Path, name: str, model: torch.nn.Module, info: Mapping[str, Any]) -> None:
    """Whether everything was loaded, and nothing left over."""
    expected = model.state_dict()
    missing, extra = sorted(info["missing_keys"]), sorted(info["unexpected_keys"])
    wrong = sorted(info["mismatched_keys"])
    where = shown(path)
    if wrong:
        key, found, wanted = wrong[0]
        raise WeightsError(
            f"{where}: {name}'s {shown_key(key)}: expected {tuple(wanted)}, found {tuple(found)}"
        )
    if missing:
        key = missing[0]
        raise WeightsError(
            f"{where}: lacks {len(missing)} of {len(expected)} keys of {name}, first"
            f" {shown_key(key)}: expected {tuple(expected[key].shape)}, found none"
        )
    if extra:
        found = tuple(read_safetensors(path)[0][extra[0]].shape)
        raise WeightsError(
            f"{where}: {name} has no {shown_key(extra[0])}: expected none, found {found}"
        )
    if info.get("error_msgs"):
        raise WeightsError(f"{where}: {shown_text(info['error_msgs'][0], 100)}")
    check_finite(expected, path)


@contextmanager
def _quiet() -> Iterator[None]:
    """transformers warns of what is checked here, and draws a bar where the run has one."""
    before = logging.get_verbosity()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(before)
