"""Grounding DINO from a folder in the transformers layout."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from transformers import AutoTokenizer, GroundingDinoConfig, GroundingDinoForObjectDetection
from transformers.utils import logging

from stages.artifacts.json_files import read_json
from stages.weights.errors import WeightsError, shown, shown_key, shown_text
from stages.weights.reading import read_safetensors
from stages.weights.remedy import require, with_remedy
from stages.weights.strict import check_finite

CONFIG, WEIGHTS, PICTURES = "config.json", "model.safetensors", "preprocessor_config.json"
TOKENIZERS = ("tokenizer.json", "vocab.txt")
"""One of them; without any, transformers makes a tokenizer that knows no word."""


@dataclass(frozen=True)
class GroundingDino:
    """The network, its tokenizer, and the size that pictures are brought to.

    The shorter edge becomes `shortest_edge_px` unless the longer one would exceed
    `longest_edge_px`; values in 0..1 are then normalised by `mean` and `std`.
    """

    model: GroundingDinoForObjectDetection
    tokenizer: object
    shortest_edge_px: int
    longest_edge_px: int
    mean: tuple[float, float, float]
    std: tuple[float, float, float]


def load_grounding_dino(folder: Path, device: str = "cpu") -> GroundingDino:
    """Loads model, tokenizer and picture size; weights stored in half precision become float32.

    Raises:
        WeightsError: a file is missing, damaged, or of another network.
        ArtifactError: so is a file of settings.
    """
    for name in (CONFIG, WEIGHTS, PICTURES):
        require(folder / name)
    if not any((folder / name).exists() for name in TOKENIZERS):
        missing = folder / TOKENIZERS[0]
        said = f"{shown(missing)} is missing, and {TOKENIZERS[1]}"
        raise WeightsError(with_remedy(said, missing))
    pictures = _pictures(folder / PICTURES)
    model = _network(folder)
    texts: Any = model.config.text_config
    tokenizer = _tokenizer(folder, texts.vocab_size)
    model.to(device)  # type: ignore[arg-type]  # the stub of transformers takes no device
    return GroundingDino(model=model.eval(), tokenizer=tokenizer, **pictures)


def _network(folder: Path) -> GroundingDinoForObjectDetection:
    path = folder / WEIGHTS
    described = read_json(folder / CONFIG, "bring the checkpoint anew")
    if (kind := described.get("model_type")) != GroundingDinoConfig.model_type:
        raise WeightsError(
            f"{shown(folder / CONFIG)} is no Grounding DINO: expected model_type"
            f" {GroundingDinoConfig.model_type}, found {shown_text(kind, 30)}"
        )
    with _quiet():
        # transformers knows older names of keys, and which of those that share a tensor may lack.
        loaded: Any = GroundingDinoForObjectDetection.from_pretrained(
            folder,
            dtype=torch.float32,
            local_files_only=True,
            output_loading_info=True,
            ignore_mismatched_sizes=True,
        )
    model, info = loaded
    _check(path, model, info)
    return model


def _check(path: Path, model: torch.nn.Module, info: Mapping[str, Any]) -> None:
    """Whether everything was loaded, and nothing left over."""
    expected = model.state_dict()
    missing, extra = sorted(info["missing_keys"]), sorted(info["unexpected_keys"])
    wrong = sorted(info["mismatched_keys"])
    where, dino = shown(path), "Grounding DINO"
    if wrong:
        key, found, wanted = wrong[0]
        raise WeightsError(
            f"{where}: {dino}'s {shown_key(key)}: expected {tuple(wanted)}, found {tuple(found)}"
        )
    if missing:
        key = missing[0]
        raise WeightsError(
            f"{where}: lacks {len(missing)} of {len(expected)} keys of {dino}, first"
            f" {shown_key(key)}: expected {tuple(expected[key].shape)}, found none"
        )
    if extra:
        found = tuple(read_safetensors(path)[0][extra[0]].shape)
        raise WeightsError(
            f"{where}: {dino} has no {shown_key(extra[0])}: expected none, found {found}"
        )
    if info.get("error_msgs"):
        raise WeightsError(f"{where}: {shown_text(info['error_msgs'][0], 100)}")
    check_finite(expected, path)


def _tokenizer(folder: Path, rows: int) -> Any:
    try:
        tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
    except Exception as error:  # of JSON, of tokenizers in Rust, and of transformers
        why = shown_text(error, 60)
        raise WeightsError(f"{shown(folder)}: no tokenizer can be made of it ({why})") from None
    if len(tokenizer) > rows:
        raise WeightsError(
            f"{shown(folder)}: the tokenizer has {len(tokenizer)} words, the network {rows}"
        )
    return tokenizer


def _pictures(path: Path) -> dict[str, Any]:
    settings = read_json(path, "bring the checkpoint anew")
    try:
        return {
            "shortest_edge_px": settings["size"]["shortest_edge"],
            "longest_edge_px": settings["size"]["longest_edge"],
            "mean": tuple(settings["image_mean"]),
            "std": tuple(settings["image_std"]),
        }
    except (KeyError, TypeError) as error:
        raise WeightsError(
            f"{shown(path)} does not say {error}, as Grounding DINO's does"
        ) from None


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
