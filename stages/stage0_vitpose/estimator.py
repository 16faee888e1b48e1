"""Keypoints of many boxes at once."""

import numpy as np
import torch
from jaxtyping import Float, Float32, UInt8
from transformers import VitPoseForPoseEstimation

from stages.artifacts.keypoints import KEYPOINT_COUNT
from stages.body.joint_names import FLIP_PAIRS
from stages.running.device import sent
from stages.running.recording import recorded
from stages.stage0_vitpose.crops import Crop, normalised
from stages.stage0_vitpose.decoding import decode, flip_average, mirrored_order
from stages.weights.precision import autocast, on_device


class KeypointEstimator:
    """ViTPose with its decoding rules; `batch_size` crops go through it at once."""

    def __init__(
        self, model: VitPoseForPoseEstimation, batch_size: int, half: torch.dtype | None = None
    ) -> None:
        self.device = next(model.parameters()).device
        self.model = on_device(model, half, self.device)
        self.batch_size, self.half = batch_size, half
        order = mirrored_order(np.asarray(FLIP_PAIRS), KEYPOINT_COUNT)
        self.mirrored_order = torch.from_numpy(order).to(self.device)
        self.heat_maps = recorded(self._heat_maps, self.device)

    @torch.inference_mode()
    def _heat_maps(
        self, pictures: Float32[torch.Tensor, "N 3 256 192"]
    ) -> Float32[torch.Tensor, "N 133 64 48"]:
        """Heat maps averaged over the pictures and their mirror images."""
        with autocast(self.half, self.device):
            both = self.model(pixel_values=torch.cat([pictures, pictures.flip(-1)])).heatmaps
        heat, mirrored = both.float().chunk(2)
        return flip_average(heat, mirrored, self.mirrored_order)

    @torch.inference_mode()
    def start(self, crops: UInt8[np.ndarray, "N 256 192 3"]) -> Float[torch.Tensor, "N 133 3"]:
        """x, y in heat-map pixels and score of every keypoint, perhaps still being computed."""
        pixels = sent(crops, self.device)
        parts = pixels.split(self.batch_size)
        return torch.cat([decode(self.heat_maps(normalised(part))) for part in parts])


def in_image(
    found: Float[torch.Tensor, "N 133 3"], crops: list[Crop]
) -> Float32[np.ndarray, "N 133 3"]:
    """x, y in the images' pixels and score, once they are computed."""
    heat = found.cpu().numpy()
    pairs = zip(crops, heat, strict=True)
    keypoints = [np.column_stack([crop.to_image(each[:, :2]), each[:, 2]]) for crop, each in pairs]
    return np.array(keypoints, np.float32).reshape(-1, *heat.shape[1:])
