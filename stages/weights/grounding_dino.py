"""Grounding DINO from a folder in the transformers layout."""

import json
from dataclasses import dataclass
from pathlib import Path

import torch
from transformers import AutoTokenizer, GroundingDinoForObjectDetection
from transformers.utils.logging import disable_progress_bar


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

    Raises FileNotFoundError naming the first file that the folder lacks.
    """
    for name in ("config.json", "model.safetensors", "preprocessor_config.json"):
        if not (folder / name).exists():
            raise FileNotFoundError(
                f"{folder / name} is missing: a Grounding DINO checkpoint is a folder in the "
                "transformers layout, see docs of IDEA-Research/grounding-dino-tiny"
            )
    disable_progress_bar()  # The run has one already.
    model = GroundingDinoForObjectDetection.from_pretrained(
        folder, dtype=torch.float32, local_files_only=True
    )
    tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
    pictures = json.loads((folder / "preprocessor_config.json").read_text())
    model.to(device)  # type: ignore[arg-type]  # the stub of transformers takes no device
    return GroundingDino(
        model=model.eval(),
        tokenizer=tokenizer,
        shortest_edge_px=pictures["size"]["shortest_edge"],
        longest_edge_px=pictures["size"]["longest_edge"],
        mean=tuple(pictures["image_mean"]),
        std=tuple(pictures["image_std"]),
    )
