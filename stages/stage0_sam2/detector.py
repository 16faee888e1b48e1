"""People in one picture, by Grounding DINO and a text."""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Float32, UInt8
from PIL import Image

from stages.weights.grounding_dino import GroundingDino

BOX_THRESHOLD = 0.25
DUPLICATE_OVERLAP = 0.7


@dataclass(frozen=True)
class Detection:
    """One person's box x1, y1, x2, y2 in pixels of the image, and the score from 0 to 1."""

    box: Float[np.ndarray, "4"]
    score: float


def resized_to(image: UInt8[np.ndarray, "H W 3"], shortest: int, longest: int) -> Image.Image:
    """The picture with its shorter edge at `shortest`, or less where the longer would exceed."""
    height, width = image.shape[:2]
    scale = min(shortest / min(height, width), longest / max(height, width))
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return Image.fromarray(image).resize(size, Image.Resampling.BILINEAR)


def without_duplicates(detections: list[Detection]) -> list[Detection]:
    """Of boxes that share more than 0.7 of the smaller one's area, the best one.

    A box around a part of somebody would otherwise become a person of its own.
    """
    kept: list[Detection] = []
    for candidate in sorted(detections, key=lambda detection: -detection.score):
        if all(overlap(candidate.box, other.box) <= DUPLICATE_OVERLAP for other in kept):
            kept.append(candidate)
    return kept


def overlap(a: Float[np.ndarray, "4"], b: Float[np.ndarray, "4"]) -> float:
    """Intersection of two boxes x1, y1, x2, y2 over the smaller one's area."""
    low, high = np.maximum(a[:2], b[:2]), np.minimum(a[2:], b[2:])
    intersection = float(np.prod(np.clip(high - low, 0, None)))
    smaller = min(float(np.prod(a[2:] - a[:2])), float(np.prod(b[2:] - b[:2])))
    return intersection / smaller if smaller > 0 else 0.0


class PersonDetector:
    """Grounding DINO with one text."""

    def __init__(self, dino: GroundingDino, text: str) -> None:
        self.dino = dino
        self.device = next(dino.model.parameters()).device
        self.tokens = dino.tokenizer([text], return_tensors="pt").to(self.device)  # type: ignore[operator] # a tokenizer is callable

    def _pixels(self, image: UInt8[np.ndarray, "H W 3"]) -> Float32[torch.Tensor, "1 3 h w"]:
        dino = self.dino
        small = resized_to(image, dino.shortest_edge_px, dino.longest_edge_px)
        values = torch.from_numpy(np.asarray(small, np.float32) / 255.0).permute(2, 0, 1)
        mean, std = torch.tensor(dino.mean), torch.tensor(dino.std)
        return ((values - mean[:, None, None]) / std[:, None, None])[None].to(self.device)

    @torch.inference_mode()
    def __call__(self, image: UInt8[np.ndarray, "H W 3"]) -> list[Detection]:
        """Everybody that the text matches with a score over 0.25, best first."""
        output = self.dino.model(pixel_values=self._pixels(image), **self.tokens)
        scores = output.logits[0].sigmoid().amax(-1).cpu().numpy()
        centre_size = output.pred_boxes[0].cpu().numpy().astype(np.float64)
        height, width = image.shape[:2]
        half = centre_size[:, 2:] / 2
        corners = np.hstack([centre_size[:, :2] - half, centre_size[:, :2] + half])
        corners = np.clip(corners, 0, 1) * [width, height, width, height]
        return without_duplicates(
            [
                Detection(box, float(score))
                for box, score in zip(corners, scores, strict=True)
                if score > BOX_THRESHOLD and (box[2:] - box[:2] > 1).all()
            ]
        )
