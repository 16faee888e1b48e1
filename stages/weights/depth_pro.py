"""Depth Pro from a folder in the transformers layout: depth in metres and field of view.

Bochkovskii et al., "Depth Pro: Sharp Monocular Metric Depth in Less Than a Second" (ICLR 2025).
"""

from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from jaxtyping import Float, UInt8
from torch import Tensor
from transformers import DepthProConfig, DepthProForDepthEstimation

from stages.weights.errors import WeightsError, shown
from stages.weights.transformers_folder import CONFIG, load_whole

_INVERSE_DEPTHS = (1e-4, 1e4)


@dataclass(frozen=True)
class DepthPro:
    """The network, and the side of the square that it sees."""

    model: DepthProForDepthEstimation
    side_px: int

    @torch.no_grad()
    def __call__(
        self, pictures: UInt8[Tensor, "n 3 h w"]
    ) -> tuple[Float[Tensor, "n h w"], Float[Tensor, " n"]]:
        """Depth (m) of RGB pictures, at their size, and their horizontal field of view (deg)."""
        high, wide = pictures.shape[-2:]
        square = F.interpolate(
            pictures.float(), (self.side_px, self.side_px), mode="bilinear", antialias=True
        )
        found = self.model(pixel_values=square / 127.5 - 1)
        fov = found.field_of_view.flatten()
        # The network gives inverse depth for a focal length of one width.
        per_focal = 2 * torch.tan(torch.deg2rad(fov) / 2)
        inverse = found.predicted_depth * per_focal[:, None, None]
        inverse = F.interpolate(inverse[:, None], (high, wide), mode="bilinear")[:, 0]
        return 1 / inverse.clamp(*_INVERSE_DEPTHS), fov


def load_depth_pro(folder: Path, device: str = "cpu") -> DepthPro:
    """The network in evaluation mode.

    Raises:
        WeightsError: a file is missing or damaged, is of another network, or tells no field of
            view.
    """
    model = load_whole(DepthProForDepthEstimation, folder, "Depth Pro")
    config: DepthProConfig = model.config
    if not config.use_fov_model:
        raise WeightsError(f"{shown(folder / CONFIG)}: this Depth Pro tells no field of view")
    patch_px = config.patch_size
    assert isinstance(patch_px, int)
    side = round(patch_px / min(float(ratio) for ratio in config.scaled_images_ratios))
    return DepthPro(model.to(device).eval().requires_grad_(False), side)
