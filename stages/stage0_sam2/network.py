"""SAM 2's network as this stage uses it: one precision, and its work recorded where that pays."""

from typing import Any

import torch
from jaxtyping import Float, UInt8

from stages.running.device import constant
from stages.running.recording import recorded
from stages.weights.precision import autocast, on_device

MEAN = (0.485, 0.456, 0.406)
STD = (0.229, 0.224, 0.225)
"""ImageNet's, as in the official loader of videos."""

Levels = list[Float[torch.Tensor, "N C h w"]]
"""Features from fine to coarse."""


class Sam2:
    """An official SAM 2 video predictor.

    Args:
        network: as it was loaded; it is changed.
        half: in which its products are computed; None for float32.
    """

    def __init__(self, network: Any, half: torch.dtype | None = None) -> None:
        self.device: torch.device = network.device
        self.network, self.half = on_device(network, half, self.device), half
        # What follows people is many small operations a frame.
        attention = network.memory_attention
        attention.forward = recorded(attention.forward, self.device)
        network._forward_sam_heads = recorded(network._forward_sam_heads, self.device)
        network._encode_new_memory = recorded(network._encode_new_memory, self.device)
        self._features = recorded(self._compute_features, self.device)

    @torch.inference_mode()
    def encode(
        self, pictures: UInt8[torch.Tensor, "N 3 S S"]
    ) -> tuple[Levels, Float[torch.Tensor, "1 C h w"]]:
        """Features of a batch of pictures, and the places of the coarsest level's features."""
        values = pictures.to(self.device, non_blocking=True).float() / 255.0
        mean, std = (constant(each, self.device)[:, None, None] for each in (MEAN, STD))
        with autocast(self.half, self.device):
            return self._features((values - mean) / std)

    def _compute_features(
        self, values: Float[torch.Tensor, "N 3 S S"]
    ) -> tuple[Levels, Float[torch.Tensor, "1 C h w"]]:
        found = self.network.forward_image(values)
        levels = found["backbone_fpn"][-self.network.num_feature_levels :]
        return levels, found["vision_pos_enc"][-1][:1]
