"""Grounding DINO from a folder in the transformers layout."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from transformers import AutoTokenizer, GroundingDinoConfig, GroundingDinoForObjectDetection

from stages.artifacts.json_files import read_json
from stages.weights.errors import WeightsError, shown, shown_text
from stages.weights.remedy import require, with_remedy
from stages.weights.transformers_folder import CONFIG, WEIGHTS, load_whole

PICTURES = "preprocessor_config.json"
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
    described = read_json(folder / CONFIG, "bring the checkpoint anew")
    if (kind := described.get("model_type")) != GroundingDinoConfig.model_type:
        raise WeightsError(
            f"{shown(folder / CONFIG)} is no Grounding DINO: expected model_type"
            f" {GroundingDinoConfig.model_type}, found {shown_text(kind, 30)}"
        )
    return load_whole(GroundingDinoForObjectDetection, folder, "Grounding DINO")


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
