"""People in pictures, by Grounding DINO and a text."""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Float32, UInt8
from PIL import Image

from stages.running.device import constant, sent
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
        # The network waits for its own numbers on the way; not for other work of the GPU as well.
        self.stream = torch.cuda.Stream() if self.device.type == "cuda" else None
        self.tokens = dino.tokenizer([text], return_tensors="pt").to(self.device)  # type: ignore[operator] # a tokenizer is callable

    def prepared(self, image: UInt8[np.ndarray, "H W 3"]) -> UInt8[np.ndarray, "h w 3"]:
        """A picture in the network's size."""
        dino = self.dino
        return np.asarray(resized_to(image, dino.shortest_edge_px, dino.longest_edge_px))

    def __call__(
        self, pictures: UInt8[np.ndarray, "N h w 3"], size: tuple[int, int]
    ) -> list[list[Detection]]:
        """Everybody that the text matches with a score over 0.25 in each picture, best first.

        Args:
            pictures: prepared ones.
            size: height and width of the images that they were, to which the boxes belong.
        """
        boxes, scores = self.boxes_and_scores(pictures)
        return [_in_image(*each, size) for each in zip(boxes, scores, strict=True)]

    @torch.inference_mode()
    def boxes_and_scores(
        self, pictures: UInt8[np.ndarray, "N h w 3"]
    ) -> tuple[Float[np.ndarray, "N Q 4"], Float32[np.ndarray, "N Q"]]:
        """What the network finds: centres and sizes, as shares of the picture, and scores."""
        tokens = {key: value.expand(len(pictures), -1) for key, value in self.tokens.items()}
        with torch.cuda.stream(self.stream):
            output = self.dino.model(pixel_values=self._pixels(pictures), **tokens)
            scores = output.logits.sigmoid().amax(-1).cpu().numpy()
            return output.pred_boxes.cpu().numpy().astype(np.float64), scores

    def _pixels(self, pictures: UInt8[np.ndarray, "N h w 3"]) -> Float32[torch.Tensor, "N 3 h w"]:
        values = sent(pictures, self.device).permute(0, 3, 1, 2).contiguous().float() / 255.0
        mean, std = (
            constant(each, self.device)[:, None, None] for each in (self.dino.mean, self.dino.std)
        )
        return (values - mean) / std


def _in_image(
    boxes: Float[np.ndarray, "Q 4"], scores: Float[np.ndarray, " Q"], size: tuple[int, int]
) -> list[Detection]:
    """Detections from the network's centres and sizes, as shares of the image."""
    height, width = size
    half = boxes[:, 2:] / 2
    corners = np.hstack([boxes[:, :2] - half, boxes[:, :2] + half])
    corners = np.clip(corners, 0, 1) * [width, height, width, height]
    return without_duplicates(
        [
            Detection(box, float(score))
            for box, score in zip(corners, scores, strict=True)
            if score > BOX_THRESHOLD and (box[2:] - box[:2] > 1).all()
        ]
    )
