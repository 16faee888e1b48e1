"""A video's pictures as SAM 2 sees them: read ahead, encoded once, dropped when passed."""

from collections.abc import Iterator, Sequence
from functools import partial
from itertools import islice
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, UInt8
from PIL import Image

from stages.artifacts.images import ImageFile, read_image
from stages.running.device import sent
from stages.running.overlap import ahead
from stages.running.stage import VideoError
from stages.weights.precision import autocast

MEAN = (0.485, 0.456, 0.406)
STD = (0.229, 0.224, 0.225)
"""ImageNet's, as in the official loader of videos."""
AT_ONCE = {"cuda": 8, "cpu": 1}
"""Pictures that the encoder takes at once: a GPU is busy with so many."""

Levels = list[Float[torch.Tensor, "N C h w"]]
"""Features from fine to coarse."""


class Pictures:
    """Features of the pictures of one video, asked for in order but for a short way back.

    Args:
        network: an official SAM 2 video predictor.
        half: of its products, which have their weights in it; None for float32.
    """

    def __init__(
        self, network: Any, images: Sequence[ImageFile], half: torch.dtype | None = None
    ) -> None:
        self.network, self.half, self.device = network, half, network.device
        self.size: tuple[int, int] = read_image(images[0].path).shape[:2]
        self.count = len(images)
        self.held: dict[int, Levels] = {}
        self.positions: Levels = []
        self._at_once = AT_ONCE[self.device.type]
        self._encoded = 0
        read = partial(_read, self.size, network.image_size)
        self._read: Iterator[UInt8[np.ndarray, "S S 3"]] = ahead(read, images, 3 * self._at_once)

    def features(self, index: int) -> Levels:
        """Of one picture. Raises KeyError if it was dropped."""
        self.encode_to(index)
        return self.held[index]

    def encode_to(self, index: int) -> None:
        """Encodes up to a picture, or to the last; a GPU has the work queued then."""
        while self._encoded <= min(index, self.count - 1):
            batch = np.stack(list(islice(self._read, self._at_once)))
            levels = self.encode(batch)
            for place in range(len(batch)):
                self.held[self._encoded + place] = [level[place : place + 1] for level in levels]
            self._encoded += len(batch)

    def drop_before(self, index: int) -> None:
        """Nobody will look back at pictures before this one."""
        for passed in [each for each in self.held if each < index]:
            del self.held[passed]

    @torch.inference_mode()
    def encode(self, pictures: UInt8[np.ndarray, "N S S 3"]) -> Levels:
        """Features of a batch."""
        values = sent(pictures, self.device).permute(0, 3, 1, 2).contiguous().float() / 255.0
        mean, std = (torch.tensor(each, device=self.device)[:, None, None] for each in (MEAN, STD))
        with autocast(self.half, self.device):
            found = self.network.forward_image((values - mean) / std)
        levels = found["backbone_fpn"][-self.network.num_feature_levels :]
        if not self.positions:  # They are the same for all pictures.
            encodings = found["vision_pos_enc"][-self.network.num_feature_levels :]
            self.positions = [each[:1].clone() for each in encodings]
        return levels


def _read(size: tuple[int, int], side: int, image: ImageFile) -> UInt8[np.ndarray, "S S 3"]:
    """A picture as a square, whatever its shape, resized as by the official loader."""
    picture = read_image(image.path)
    if picture.shape[:2] != size:
        raise VideoError(
            f"{image.path} is {picture.shape[1]}x{picture.shape[0]} but the first frame is "
            f"{size[1]}x{size[0]}; extract the frames again by stage0-frames"
        )
    return np.asarray(Image.fromarray(picture).resize((side, side)))
