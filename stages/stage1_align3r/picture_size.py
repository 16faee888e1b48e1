"""The part of a picture that the network sees, and how its pixels map to the original's.

The rule is DUSt3R's: the long side becomes as long as the network has seen it, 512; the middle is
kept so that both sides are multiples of 16, and of a square picture a part of 4:3.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Bool, Float, UInt8
from PIL import Image

from stages.stage1_align3r.network import PATCH_PX, Align3rConfig

OFFICIAL_PX = Align3rConfig().long_side_px


@dataclass(frozen=True)
class Cropping:
    """A resize, and the middle of it; centres of pixels are integers."""

    original_height: int
    original_width: int
    resized_height: int
    resized_width: int
    height: int
    width: int

    @property
    def corner(self) -> tuple[int, int]:
        """Row and column of the resized picture where the kept part begins."""
        return (
            self.resized_height // 2 - self.height // 2,
            self.resized_width // 2 - self.width // 2,
        )

    @property
    def affine_original_from_reconstruction(self) -> Float[np.ndarray, "2 3"]:
        """Takes pixel (x, y, 1) of the kept part to the original picture's pixel."""
        sx = self.resized_width / self.original_width
        sy = self.resized_height / self.original_height
        top, left = self.corner
        return np.array(
            [
                [1 / sx, 0, (left + 0.5) / sx - 0.5],
                [0, 1 / sy, (top + 0.5) / sy - 0.5],
            ]
        )

    def picture(self, rgb: UInt8[np.ndarray, "H0 W0 3"]) -> UInt8[np.ndarray, "H W 3"]:
        """The kept part of a picture."""
        size = (self.resized_width, self.resized_height)
        way = Image.Resampling.LANCZOS if self._smaller else Image.Resampling.BICUBIC
        return self._kept(np.asarray(Image.fromarray(rgb).resize(size, way)))

    def map(self, values: Float[np.ndarray, "H0 W0 c"]) -> Float[np.ndarray, "H W c"]:
        """The kept part of a map of numbers; as sharp as the original's, which overshoots."""
        size = (self.resized_width, self.resized_height)
        way = cv2.INTER_LANCZOS4 if self._smaller else cv2.INTER_CUBIC
        return self._kept(cv2.resize(values, size, interpolation=way))

    def mask(self, mask: Bool[np.ndarray, "H0 W0"]) -> Bool[np.ndarray, "H W"]:
        """True wherever the mask covers at least half of a pixel."""
        size = (self.resized_width, self.resized_height)
        way = cv2.INTER_AREA if self._smaller else cv2.INTER_LINEAR
        shares = cv2.resize(mask.astype(np.uint8) * 255, size, interpolation=way)
        return self._kept(shares) >= 128

    @property
    def _smaller(self) -> bool:
        longest = max(self.resized_height, self.resized_width)
        return longest < max(self.original_height, self.original_width)

    def _kept(self, array: np.ndarray) -> np.ndarray:
        top, left = self.corner
        return np.ascontiguousarray(array[top : top + self.height, left : left + self.width])


def cropping(height: int, width: int, long_side_px: int = OFFICIAL_PX) -> Cropping:
    """For pictures of a size.

    Raises:
        ValueError: the picture is so long that nothing is left of its short side.
    """
    scale = long_side_px / max(height, width)
    resized_height, resized_width = round(height * scale), round(width * scale)
    high, wide = (each // PATCH_PX * PATCH_PX for each in (resized_height, resized_width))
    if resized_height == resized_width:
        high = wide * 3 // 4
    if min(high, wide) == 0:
        raise ValueError(f"pictures of {height}x{width} px are too long and thin to be read")
    return Cropping(height, width, resized_height, resized_width, high, wide)
