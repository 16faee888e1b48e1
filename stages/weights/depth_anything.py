"""Depth Anything from a folder in the transformers layout: depth of single pictures.

Yang et al., "Depth Anything" (CVPR 2024). Some checkpoints give disparity without a unit, others
depth in metres.
"""

from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from jaxtyping import Float, UInt8
from torch import Tensor
from transformers import DepthAnythingConfig, DepthAnythingForDepthEstimation

from stages.artifacts.json_files import read_json
from stages.weights.errors import WeightsError, shown, shown_text
from stages.weights.remedy import require
from stages.weights.transformers_folder import CONFIG, WEIGHTS, load_whole

_MEAN, _DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
_LONG_SIDE_PX = 768
"""At which MegaSaM shows pictures to the network."""


@dataclass(frozen=True)
class DepthAnything:
    """The network; `metric`: whether it gives depth in metres, not disparity without a unit."""

    model: DepthAnythingForDepthEstimation
    metric: bool
    patch_px: int

    @torch.no_grad()
    def __call__(self, pictures: UInt8[Tensor, "n 3 h w"]) -> Float[Tensor, "n h w"]:
        """Depth or disparity of RGB pictures, at their size."""
        high, wide = pictures.shape[-2:]
        mean, deviation = (
            255 * torch.tensor(each, device=pictures.device)[:, None, None]
            for each in (_MEAN, _DEVIATION)
        )
        size = fitting(high, wide, self.patch_px)
        small = F.interpolate(pictures.float(), size, mode="bicubic", align_corners=False)
        found = self.model(pixel_values=(small - mean) / deviation).predicted_depth
        return F.interpolate(found[:, None], (high, wide), mode="bilinear")[:, 0]


def fitting(height: int, width: int, patch_px: int) -> tuple[int, int]:
    """Sides of about the same proportions, whole patches each, within 768 pixels."""
    factor = _LONG_SIDE_PX / max(height, width)
    most = _LONG_SIDE_PX // patch_px
    high, wide = (
        max(1, min(round(factor * side / patch_px), most)) * patch_px for side in (height, width)
    )
    return high, wide


def load_depth_anything(folder: Path, metric: bool, device: str = "cpu") -> DepthAnything:
    """The network in evaluation mode.

    Args:
        metric: what the checkpoint has to give.

    Raises:
        WeightsError: a file is missing or damaged, or is of another network or kind.
        ArtifactError: so is the file of settings.
    """
    for name in (CONFIG, WEIGHTS):
        require(folder / name)
    described = read_json(folder / CONFIG, "bring the checkpoint anew")
    if (kind := described.get("model_type")) != DepthAnythingConfig.model_type:
        raise WeightsError(
            f"{shown(folder / CONFIG)} is no Depth Anything: expected model_type"
            f" {DepthAnythingConfig.model_type}, found {shown_text(kind, 30)}"
        )
    wanted = "metric" if metric else "relative"
    if (found := described.get("depth_estimation_type", "relative")) != wanted:
        raise WeightsError(
            f"{shown(folder / CONFIG)}: expected a {wanted} Depth Anything, found a"
            f" {shown_text(found, 30)} one"
        )
    model = load_whole(DepthAnythingForDepthEstimation, folder, "Depth Anything")
    model = model.to(device).eval().requires_grad_(False)
    return DepthAnything(model, metric, model.config.patch_size)
