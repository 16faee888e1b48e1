"""SAM 2's video predictor from an official checkpoint or from a demo folder."""

from pathlib import Path
from typing import Any

import torch
from omegaconf import OmegaConf
from safetensors.torch import load_file

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
    Raises FileNotFoundError or ValueError naming what is wrong with the path.
    """
    if not path.exists():
        raise FileNotFoundError(f"{path} is missing: put a SAM 2.1 checkpoint there")
    if path.is_dir():
        return sam2_from_folder(path, device)
    if path.name not in OFFICIAL_CONFIGS:
        raise ValueError(
            f"{path.name} is no SAM 2.1 checkpoint that this project knows; "
            f"it knows {', '.join(OFFICIAL_CONFIGS)}"
        )
    from sam2.build_sam import build_sam2_video_predictor

    return build_sam2_video_predictor(OFFICIAL_CONFIGS[path.name], str(path), device=device)


def sam2_from_folder(folder: Path, device: str) -> torch.nn.Module:
    """The predictor that a folder's `config.yaml` describes, with its `model.safetensors`."""
    for name in ("config.yaml", "model.safetensors"):
        if not (folder / name).exists():
            raise FileNotFoundError(f"{folder / name} is missing from the SAM 2 folder")
    model = build_sam2(OmegaConf.load(folder / "config.yaml"))
    weights = {k: v.float() for k, v in load_file(folder / "model.safetensors").items()}
    model.load_state_dict(weights, strict=True)
    return model.to(device).eval()


def build_sam2(config: Any) -> torch.nn.Module:
    """The untrained `SAM2VideoPredictor` of a config in the official layout."""
    from hydra.utils import instantiate

    settings = OmegaConf.create(config).model
    settings = OmegaConf.merge(
        settings, {"_target_": "sam2.sam2_video_predictor.SAM2VideoPredictor"}
    )
    return instantiate(settings, _recursive_=True)
