"""A folder of weights as people place it by hand: official names, layouts, sizes, random numbers.

Of the five networks the smallest official sizes; nothing in them knows a person.
"""

import json
import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from transformers import GroundingDinoConfig, GroundingDinoForObjectDetection

from stages.weights.names import SMPL
from stages.weights.sam2 import OFFICIAL_CONFIGS
from stages.weights.strict import shapes_of
from stages.weights.vitpose import official_layout
from tests.body.conftest import random_smpl_arrays
from tests.stage0_bstro.test_official_data import write_data_files
from tests.weights.official import write

DINO, SAM2 = "grounding-dino-tiny", "sam2.1_hiera_tiny.pt"
VITPOSE, VIMO = "vitpose_small_wholebody.pth", "vimo_checkpoint.pth.tar"
BSTRO = "hsi_hrnet_3dpw_b32_checkpoint_15.bin"
WORDS = {
    0: "[PAD]",
    100: "[UNK]",
    101: "[CLS]",
    102: "[SEP]",
    103: "[MASK]",
    1012: ".",
    2711: "person",
}
"""Of the official vocabulary, at their places in it."""
SHORTEST_EDGE_PX, LONGEST_EDGE_PX = 192, 342
"""Of pictures for Grounding DINO; at its official 800 a look takes minutes on two cores."""


def place(folder: Path, goldens: Any) -> Path:
    """Writes all of them into a folder, which is made, and returns it."""
    folder.mkdir()
    _grounding_dino(folder / DINO)
    write(folder / SAM2, {"model": random(_sam2_layout())})
    write(folder / VITPOSE, {"state_dict": random(official_layout(384))})
    for name, network, nested in ((VIMO, "vimo", "model"), (BSTRO, "bstro", "")):
        shapes = json.loads((goldens.folder / f"{network}.keys.json").read_text())["keys"]
        write(folder / name, {nested: random(shapes)} if nested else random(shapes), not nested)
    _bstros_data(folder, goldens.load("bstro_indices"))
    return folder


def random(shapes: Mapping[str, Any]) -> dict[str, Tensor]:
    """A state of these shapes; every tensor looks at few random numbers many times, shifted, so
    that the file takes little room. Counters are whole numbers."""
    torch.manual_seed(0)
    return {
        key: torch.tensor(1) if key.endswith("tracked") else _shifted(tuple(shape))
        for key, shape in shapes.items()
    }


def _shifted(shape: tuple[int, ...]) -> Tensor:
    numbers = 0.02 * torch.randn(sum(shape) + 1)
    return numbers.as_strided(shape, (1,) * len(shape))


def _grounding_dino(folder: Path) -> None:
    """Random but for two norms, by which what is seen is the opposite of every word."""
    torch.manual_seed(0)
    model = GroundingDinoForObjectDetection(GroundingDinoConfig())
    words = model.model.encoder.layers[-1].text_enhancer_layer.layer_norm_after
    seen = model.model.decoder.layer_norm
    with torch.no_grad():
        for norm, value in ((words, 1.0), (seen, -1.0)):
            norm.weight.zero_()
            norm.bias.fill_(value)
    model.half().save_pretrained(folder)
    size = {"shortest_edge": SHORTEST_EDGE_PX, "longest_edge": LONGEST_EDGE_PX}
    pictures = {
        "size": size,
        "image_mean": [0.485, 0.456, 0.406],
        "image_std": [0.229, 0.224, 0.225],
    }
    (folder / "preprocessor_config.json").write_text(json.dumps(pictures))
    (folder / "tokenizer_config.json").write_text(json.dumps({"tokenizer_class": "BertTokenizer"}))
    rows = model.config.text_config.vocab_size
    (folder / "vocab.txt").write_text(
        "".join(f"{WORDS.get(row, f'[unused{row}]')}\n" for row in range(rows))
    )


def _sam2_layout() -> dict[str, tuple[int, ...]]:
    from sam2.build_sam import build_sam2_video_predictor

    model = build_sam2_video_predictor(OFFICIAL_CONFIGS[SAM2], None, device="cpu")
    return shapes_of(model.state_dict())


def _bstros_data(folder: Path, indices: Mapping[str, np.ndarray]) -> None:
    """SMPL's body and the two files that select its vertices; of the body, its pelvis alone is
    where SMPL has it."""
    write_data_files(folder, indices)
    body = random_smpl_arrays(2)
    root = body["J_regressor"][0] @ body["v_template"]
    body["v_template"][indices["h36m_pelvis_vertex"]] = root
    (folder / SMPL).parent.mkdir()
    (folder / SMPL).write_bytes(pickle.dumps(body, protocol=2))
