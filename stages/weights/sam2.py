"""SAM 2's video predictor from an official checkpoint or from a demo folder."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from hydra.errors import HydraException
from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException
from yaml import YAMLError

from stages.weights.errors import WeightsError, shown, shown_text
from stages.weights.reading import read_safetensors, read_torch
from stages.weights.remedy import with_remedy
from stages.weights.strict import check_state, entry, shapes_of

OFFICIAL_CONFIGS = {
    "sam2.1_hiera_tiny.pt": "configs/sam2.1/sam2.1_hiera_t.yaml",
    "sam2.1_hiera_small.pt": "configs/sam2.1/sam2.1_hiera_s.yaml",
    "sam2.1_hiera_base_plus.pt": "configs/sam2.1/sam2.1_hiera_b+.yaml",
    "sam2.1_hiera_large.pt": "configs/sam2.1/sam2.1_hiera_l.yaml",
}


def load_sam2(path: Path, device: str = "cpu") -> torch.nn.Module:
    """Builds a `SAM2VideoPredictor`, in evaluation mode, on `device`.

    `path` is an official `sam2.1_hiera_*.pt`, or a folder with `config.yaml` (the official layout)
    and `model.safetensors`. Official models get the official post-processing (fallback to other
    masks when the first is unstable, hole filling); a folder's model is used as its config says.

    Raises:
        WeightsError: a file is missing, damaged, or not exactly what its size wants.
    """
    if path.is_dir():
        return sam2_from_folder(path, device)
    if path.exists() and path.name not in OFFICIAL_CONFIGS:
        raise WeightsError(
            f"{shown(path)} is no SAM 2.1 by its name; known are {', '.join(OFFICIAL_CONFIGS)}"
        )
    state = entry(read_torch(path), "model", path, "SAM 2")
    from sam2.build_sam import build_sam2_video_predictor

    # Without a checkpoint: its own loader prints all keys that are wrong, and names no file.
    with torch.device(device):  # Random numbers, soon replaced, take a processor seconds.
        model = build_sam2_video_predictor(OFFICIAL_CONFIGS[path.name], None, device=device)
    check_state(state, shapes_of(model.state_dict()), path, "SAM 2")
    model.load_state_dict(state, strict=True)
    return model.to(device)


def sam2_from_folder(folder: Path, device: str) -> torch.nn.Module:
    """The predictor that a folder's `config.yaml` describes, with its `model.safetensors`."""
    config, weights = folder / "config.yaml", folder / "model.safetensors"
    if not config.exists():
        raise WeightsError(with_remedy(f"{shown(config)} is missing", config))
    try:
        described = OmegaConf.load(config)
        if foreign := [name for name in _targets(described) if not name.startswith("sam2.")]:
            raise ValueError(f"it would call {foreign[0]}")
        model = build_sam2(described)
    except (OmegaConfBaseException, HydraException, YAMLError, ValueError) as error:
        why = shown_text(error, 60)
        raise WeightsError(f"{shown(config)} is no config of SAM 2 ({why})") from None
    state = {k: v.float() for k, v in read_safetensors(weights)[0].items()}
    check_state(state, shapes_of(model.state_dict()), weights, "SAM 2")
    model.load_state_dict(state, strict=True)
    return model.to(device).eval()


def _targets(config: Any) -> Iterator[str]:
    """Everything that a config has called, wherever it is in it."""
    if OmegaConf.is_config(config):
        config = OmegaConf.to_container(config)
    if isinstance(config, dict):
        for key, value in config.items():
            if key == "_target_":
                yield str(value)
            yield from _targets(value)
    elif isinstance(config, list):
        for value in config:
            yield from _targets(value)


def build_sam2(config: Any) -> torch.nn.Module:
    """The untrained `SAM2VideoPredictor` of a config in the official layout."""
    from hydra.utils import instantiate

    settings = OmegaConf.create(config).model
    settings = OmegaConf.merge(
        settings, {"_target_": "sam2.sam2_video_predictor.SAM2VideoPredictor"}
    )
    return instantiate(settings, _recursive_=True)
