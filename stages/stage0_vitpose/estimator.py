"""Keypoints of many boxes at once."""

import numpy as np
import torch
from jaxtyping import Float32, UInt8
from transformers import VitPoseForPoseEstimation

from stages.body.joint_names import FLIP_PAIRS
from stages.stage0_vitpose.crops import crop_of_box, cut, normalised
from stages.stage0_vitpose.decoding import decode, flip_average
from stages.weights.precision import autocast_bfloat16


class KeypointEstimator:
    """ViTPose with its crop and decoding rules."""

    def __init__(self, model: VitPoseForPoseEstimation, batch_size: int) -> None:
        self.model, self.batch_size = model, batch_size
        self.device = next(model.parameters()).device
        self.pairs = np.asarray(FLIP_PAIRS)

    @torch.inference_mode()
    def heat_maps(
        self, pictures: Float32[torch.Tensor, "N 3 256 192"]
    ) -> Float32[torch.Tensor, "N 133 64 48"]:
        """Heat maps averaged over the pictures and their mirror images."""
        pictures = pictures.to(self.device)
        with autocast_bfloat16(self.device):
            both = self.model(pixel_values=torch.cat([pictures, pictures.flip(-1)])).heatmaps
        heat, mirrored = both.float().chunk(2)
        return flip_average(heat, mirrored, self.pairs).cpu()

    def __call__(
        self,
        images: list[UInt8[np.ndarray, "H W 3"]],
        boxes: list[tuple[float, float, float, float]],
    ) -> Float32[np.ndarray, "N 133 3"]:
        """x, y, score of the keypoints of one box an image, in the images' pixels."""
        crops = [crop_of_box(box) for box in boxes]
        found = []
        for start in range(0, len(crops), self.batch_size):
            batch = crops[start : start + self.batch_size]
            pictures = np.stack(
                [cut(image, crop) for image, crop in zip(images[start:], batch, strict=False)]
            )
            positions, scores = decode(self.heat_maps(normalised(pictures)).numpy())
            for crop, position, score in zip(batch, positions, scores, strict=True):
                found.append(np.column_stack([crop.to_image(position), score]))
        return np.stack(found).astype(np.float32) if found else np.zeros((0, 133, 3), np.float32)
