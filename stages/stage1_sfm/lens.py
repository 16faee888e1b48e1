"""What one centred pinhole does not explain of a video: a zoom, a bent lens, a cut-off side.

A pixel p of a frame and the pixel c + u of a pinhole that stays the same all the time are

    p = c + shift + zoom (1 + kappa |u|^2) u

with c the middle of the picture.
"""

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from jaxtyping import Bool, Float, Float32, UInt8, UInt16

from stages.cameras.frames import Frames

ZOOM, BEND, SHIFT = 0.03, 0.01, 0.02
"""Less than so much, of the focal length, of the way to a corner, of the long side, is not worth a
model: rolling shutters and focusing do as much."""
_ROUNDS = 20


@dataclass(frozen=True)
class Lens:
    """zooms: of every frame of the video, 1 where the picture is widest. kappa: in px^-2."""

    zooms: Float[np.ndarray, " T"]
    kappa: float = 0.0
    shift_px: tuple[float, float] = (0.0, 0.0)

    def bent(self, offsets_px: Float[np.ndarray, "*B 2"], frame: int) -> Float[np.ndarray, "*B 2"]:
        """Where pixels of the pinhole lie in a frame; both from the middle."""
        square = (offsets_px**2).sum(-1, keepdims=True)
        return self.shift_px + self.zooms[frame] * (1 + self.kappa * square) * offsets_px

    def straightened(
        self, offsets_px: Float[np.ndarray, "*B 2"], frame: int
    ) -> Float[np.ndarray, "*B 2"]:
        """Where pixels of a frame lie in the pinhole's picture; both from the middle."""
        away = (offsets_px - self.shift_px) / self.zooms[frame]
        found = away
        for _ in range(_ROUNDS):
            square = (found**2).sum(-1, keepdims=True)
            found = away / np.maximum(1 + self.kappa * square, 0.3)
        return found

    def matters(self, height: int, width: int) -> bool:
        """Whether a world is much the worse without it."""
        corner = self.kappa * (middle(height, width) ** 2).sum()
        shift = np.abs(self.shift_px).max() / max(height, width)
        return bool(np.ptp(self.zooms) > ZOOM or abs(corner) > BEND or shift > SHIFT)

    def then(self, other: "Lens") -> "Lens":
        """With what is left by this one explained by another, to the first order."""
        zooms = self.zooms * other.zooms
        shift = np.add(self.shift_px, other.shift_px)
        return Lens(zooms / zooms.min(), self.kappa + other.kappa, (shift[0], shift[1]))


def middle(height: int, width: int) -> Float[np.ndarray, " 2"]:
    """The pixel in the middle, x and y."""
    return np.array([(width - 1) / 2, (height - 1) / 2])


@dataclass(frozen=True)
class StraightFrames(Frames):
    """Frames as the pinhole would have taken them; black, and of nobody, beyond what was taken.

    as_framed: with the zoom and the cut of the video, but lines as straight as a pinhole's.
    """

    lens: Lens
    as_framed: bool = False

    def rgb(self, frame: int) -> UInt8[np.ndarray, "H W 3"]:
        return cv2.remap(super().rgb(frame), *self._taken_from(frame), cv2.INTER_LINEAR)

    def ids(self, frame: int) -> UInt16[np.ndarray, "H W"]:
        return cv2.remap(super().ids(frame), *self._taken_from(frame), cv2.INTER_NEAREST)

    def outside(self, frame: int) -> Bool[np.ndarray, "H W"]:
        x, y = self._taken_from(frame)
        return (x < 0) | (y < 0) | (x > self.width - 1) | (y > self.height - 1)

    def _taken_from(self, frame: int) -> tuple[np.ndarray, np.ndarray]:
        zoom = float(self.lens.zooms[frame])
        framing = (zoom, *self.lens.shift_px) if self.as_framed else (1.0, 0.0, 0.0)
        size = self.height, self.width
        return _taken_from(zoom, self.lens.kappa, self.lens.shift_px, framing, size)


@lru_cache(maxsize=2)
def _taken_from(
    zoom: float,
    kappa: float,
    shift_px: tuple[float, float],
    framing: tuple[float, float, float],
    size: tuple[int, int],
) -> tuple[np.ndarray, np.ndarray]:
    """Where each pixel is taken from: x and y as OpenCV's remap has them."""
    x, y = np.meshgrid(np.arange(size[1]), np.arange(size[0]))
    centre = middle(*size)
    pinhole = (np.stack([x, y], -1) - centre - framing[1:]) / framing[0]
    found = Lens(np.array([zoom]), kappa, shift_px).bent(pinhole, 0) + centre
    found = found.astype(np.float32)
    return np.ascontiguousarray(found[..., 0]), np.ascontiguousarray(found[..., 1])


def framed_intrinsic(
    intrinsic: Float[np.ndarray, "3 3"], lens: Lens, frame: int, scale: tuple[float, float]
) -> Float[np.ndarray, "3 3"]:
    """K of a frame with its zoom and cut; `intrinsic` is the pinhole's, both at `scale` of it."""
    K = np.array(intrinsic)
    K[[0, 1], [0, 1]] *= lens.zooms[frame]
    K[:2, 2] += np.multiply(lens.shift_px, scale)
    return K


def framed(
    values: Float32[np.ndarray, "H W"], lens: Lens, frame: int, scale: tuple[float, float]
) -> Float32[np.ndarray, "H W"]:
    """Values of the pinhole's pixels at a frame's, 0 beyond its picture."""
    centre, zoom = middle(*values.shape), lens.zooms[frame]
    offset = centre - (centre + np.multiply(lens.shift_px, scale)) / zoom
    to_pinhole = np.array([[1 / zoom, 0, offset[0]], [0, 1 / zoom, offset[1]]])
    flags = cv2.INTER_NEAREST | cv2.WARP_INVERSE_MAP
    return cv2.warpAffine(values, to_pinhole, values.shape[::-1], flags=flags)
