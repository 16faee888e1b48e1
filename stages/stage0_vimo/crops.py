"""The crop that VIMO looks at: a square around the box, 256x256, resized with smoothing.

The rule is VIMO's, integer rounding included: side 1.2 times the longer side of the box, corners
rounded toward zero after the shift of one pixel that SPIN's crop carries, pixels outside the
picture black. Resizing follows scikit-image's `resize` (bilinear with half-pixel centres, a
Gaussian first when shrinking, borders mirrored), written as one matrix a side.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from jaxtyping import Float, Float32, Int, UInt8

from stages.running.device import constant, sent
from stages.stage0_vimo.network.config import CROP_PX

BOX_DILATION = 1.2
MEAN = (0.485, 0.456, 0.406)
STD = (0.229, 0.224, 0.225)


SMOOTHED_SIGMAS = 4.0
"""How far scikit-image's Gaussian reaches."""


@dataclass(frozen=True)
class CropGeometry:
    """Where crops lie in their picture: centre (x, y) and side of the square, pixels."""

    center_px: Float[np.ndarray, "n 2"]
    size_px: Float[np.ndarray, " n"]


def crop_geometry(boxes_xyxy: Float[np.ndarray, "n 4"]) -> CropGeometry:
    """Square crops around boxes (x1, y1, x2, y2)."""
    low, high = boxes_xyxy[:, :2], boxes_xyxy[:, 2:]
    side = BOX_DILATION * (high - low).max(axis=1)
    return CropGeometry(low + (high - low) / 2, side)


def picture_focal_px(height: int, width: int) -> float:
    """The focal length that VIMO assumes: the picture's diagonal."""
    return float(np.hypot(height, width))


def picture_center_px(height: int, width: int) -> tuple[float, float]:
    """The principal point that VIMO assumes: half the picture's size."""
    return width / 2, height / 2


def crop_corners(center_px: Float[np.ndarray, "2"], size_px: float) -> Int[np.ndarray, "4"]:
    """Integer (x0, y0, x1, y1) of the source square, high end exclusive."""
    # Single precision on purpose: corners that fall on whole pixels round as upstream's do.
    side = np.float32(size_px) + np.float32(1e-6)
    shift = np.float32(CROP_PX) * (np.float32(0.5) - np.asarray(center_px, np.float32) / side)
    scale = np.float64(np.float32(CROP_PX) / side)
    low = -shift.astype(np.float64) / scale
    high = (CROP_PX - shift.astype(np.float64)) / scale
    return np.concatenate([low, high]).astype(np.int64)


def cut(
    image: UInt8[np.ndarray, "h w 3"], corners: Int[np.ndarray, "4"]
) -> UInt8[np.ndarray, "hc wc 3"]:
    """The pixels between the corners, black where the picture has none."""
    x0, y0, x1, y1 = corners
    height, width = image.shape[:2]
    out = np.zeros((y1 - y0, x1 - x0, 3), np.uint8)
    u0, v0, u1, v1 = max(x0, 0), max(y0, 0), min(x1, width), min(y1, height)
    if u1 > u0 and v1 > v0:
        out[v0 - y0 : v1 - y0, u0 - x0 : u1 - x0] = image[v0:v1, u0:u1]
    return out


def _mirrored(at: np.ndarray, size: int) -> np.ndarray:
    """Places beyond the borders, seen in mirrors on the outermost pixels."""
    turn = max(2 * (size - 1), 1)
    at = np.abs(at) % turn
    return np.minimum(at, turn - at)


def resize_matrix(source: int) -> Float32[np.ndarray, "256 source"]:
    """What each of the crop's rows (or columns) takes of those of a cut-out."""
    step = source / CROP_PX
    at = _mirrored((np.arange(CROP_PX) + 0.5) * step - 0.5, source)
    low = np.minimum(at.astype(int), max(source - 2, 0))
    sigma = max((step - 1) / 2, 0)
    reach = int(SMOOTHED_SIGMAS * sigma + 0.5)
    offsets = np.arange(-reach, reach + 1)
    smooth = np.exp(-0.5 * (offsets / sigma) ** 2) if reach else np.ones(1)
    weights, rows = np.zeros((CROP_PX, source)), np.arange(CROP_PX)
    for offset, share in zip(offsets, smooth / smooth.sum(), strict=True):
        for place, weight in ((low, 1 - (at - low)), (np.minimum(low + 1, source - 1), at - low)):
            weights[rows, _mirrored(place + offset, source)] += share * weight
    return weights.astype(np.float32)


@lru_cache(maxsize=64)
def _matrix_on(device: torch.device | str, source: int) -> Float32[torch.Tensor, "256 source"]:
    return sent(resize_matrix(source), device)


def crop(
    image: UInt8[np.ndarray, "h w 3"],
    center_px: Float[np.ndarray, "2"],
    size_px: float,
    device: torch.device | str = "cpu",
) -> UInt8[torch.Tensor, "256 256 3"]:
    """One crop of an RGB picture, resized on the network's device."""
    piece = cut(image, crop_corners(center_px, size_px))
    rows, columns = (_matrix_on(device, source) for source in piece.shape[:2])
    down = torch.tensordot(rows, sent(piece, device).float(), dims=1)
    return torch.tensordot(down, columns, dims=([1], [1])).transpose(1, 2).to(torch.uint8)


def normalise(crops: UInt8[torch.Tensor, "n 256 256 3"]) -> Float32[torch.Tensor, "n 3 256 256"]:
    """ImageNet mean and deviation, channels first."""
    mean, std = (constant(each, crops.device) for each in (MEAN, STD))
    return ((crops.float() / 255 - mean) / std).permute(0, 3, 1, 2).contiguous()
