"""From a person's box to the network's picture, and back.

The rule is that of the whole-body models' training (top-down affine without half-pixel shifts):
the box is widened to 3:4, padded by a quarter, and scaled about its centre.
"""

from dataclasses import dataclass

import cv2
import numpy as np
import torch
from jaxtyping import Float, Float32, UInt8

from stages.running.device import constant

WIDTH_PX, HEIGHT_PX = 192, 256
HEAT_STRIDE_PX = 4
PADDING = 1.25
MEAN = (0.485, 0.456, 0.406)
STD = (0.229, 0.224, 0.225)


@dataclass(frozen=True)
class Crop:
    """A rectangle of the image that the network sees."""

    centre_px: Float[np.ndarray, "2"]
    size_px: Float[np.ndarray, "2"]
    """Width and height in the image."""

    @property
    def crop_from_image(self) -> Float[np.ndarray, "2 3"]:
        """Takes image pixels to crop pixels."""
        scale = WIDTH_PX / self.size_px[0]
        shift = np.array([WIDTH_PX, HEIGHT_PX]) / 2 - scale * self.centre_px
        return np.array([[scale, 0, shift[0]], [0, scale, shift[1]]])

    def to_image(self, heat_px: Float[np.ndarray, "K 2"]) -> Float[np.ndarray, "K 2"]:
        """Takes heat-map pixels to image pixels."""
        cells = np.array([WIDTH_PX, HEIGHT_PX]) / HEAT_STRIDE_PX
        return heat_px * (self.size_px / cells) + self.centre_px - self.size_px / 2


def crop_of_box(box: tuple[float, float, float, float]) -> Crop:
    """The crop of a box x1, y1, x2, y2, whose last pixels are inside."""
    x1, y1, x2, y2 = box
    width, height = x2 - x1 + 1.0, y2 - y1 + 1.0
    centre = np.array([x1 + width / 2, y1 + height / 2])
    aspect = WIDTH_PX / HEIGHT_PX
    if width > aspect * height:
        height = width / aspect
    else:
        width = height * aspect
    return Crop(centre, np.array([width, height]) * PADDING)


def cut(image: UInt8[np.ndarray, "H W 3"], crop: Crop) -> UInt8[np.ndarray, "256 192 3"]:
    """The network's picture, bilinear, black outside the image."""
    return cv2.warpAffine(
        image, crop.crop_from_image, (WIDTH_PX, HEIGHT_PX), flags=cv2.INTER_LINEAR
    )


def normalised(crops: UInt8[torch.Tensor, "N 256 192 3"]) -> Float32[torch.Tensor, "N 3 256 192"]:
    """Values by ImageNet's mean and deviation."""
    values = crops.permute(0, 3, 1, 2).float() / 255.0
    mean, std = (constant(each, crops.device) for each in (MEAN, STD))
    return (values - mean[:, None, None]) / std[:, None, None]
