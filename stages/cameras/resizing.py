"""The reconstruction's resolution, and how its pixels map to those of the original images."""

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Bool, Float, Float32, UInt8

LONG_SIDE_PX = 512
MULTIPLE_PX = 8


@dataclass(frozen=True)
class Resizing:
    """A pure resize that keeps the image's edges in place; pixel centres are integers."""

    original_height: int
    original_width: int
    height: int
    width: int

    @property
    def scale(self) -> tuple[float, float]:
        """Reconstruction pixels per original pixel, in x and y."""
        return self.width / self.original_width, self.height / self.original_height

    @property
    def affine_original_from_reconstruction(self) -> Float[np.ndarray, "2 3"]:
        """Takes pixel (x, y, 1) of the reconstruction to the original image's pixel."""
        sx, sy = self.scale
        return np.array([[1 / sx, 0, 0.5 / sx - 0.5], [0, 1 / sy, 0.5 / sy - 0.5]])

    def intrinsic(self, focal_px: float) -> Float32[np.ndarray, "3 3"]:
        """K of a centred pinhole camera with this focal length in original pixels."""
        sx, sy = self.scale
        return np.array(
            [
                [focal_px * sx, 0, (self.width - 1) / 2],
                [0, focal_px * sy, (self.height - 1) / 2],
                [0, 0, 1],
            ],
            np.float32,
        )

    def image(self, rgb: UInt8[np.ndarray, "H0 W0 3"]) -> UInt8[np.ndarray, "H W 3"]:
        """The image at the reconstruction's resolution."""
        smaller = self.width < self.original_width
        way = cv2.INTER_AREA if smaller else cv2.INTER_LINEAR
        return cv2.resize(rgb, (self.width, self.height), interpolation=way)

    def mask(self, mask: Bool[np.ndarray, "H0 W0"]) -> Bool[np.ndarray, "H W"]:
        """True wherever the mask covers at least half of a pixel."""
        shares = self.image(mask.astype(np.uint8) * 255)
        return shares >= 128


def reconstruction_size(height: int, width: int) -> Resizing:
    """The long side becomes 512 and both sides multiples of 8, as nearly in shape as that allows.

    Both scales enter the intrinsics and the affine map, so nothing is lost by the rounding.
    """
    scale = LONG_SIDE_PX / max(height, width)

    def side(length: int) -> int:
        return max(MULTIPLE_PX, round(length * scale / MULTIPLE_PX) * MULTIPLE_PX)

    return Resizing(height, width, side(height), side(width))
