"""Depth of single pictures, made one: relative disparity in the units of metric depth.

Li et al., "MegaSaM" (CVPR 2025), section 3.2: a network without a scale is sharper and steadier
than one with it, so that its disparity is kept, and one scale and shift for the whole video are
read off the other. The official code has the rule for sky too, but overwrites what it finds.
"""

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from stages.flow.config import CELL_PX

_SKY = 0.01
"""Relative disparity below which a pixel counts as sky."""

_MOSTLY_SKY = 0.5
_MISTAKEN_SKY = 0.02
_MISTAKEN_DEPTH_M = 2.0
_SKY_DISPARITY = 1e-2
"""Per metre: given to what the metric network puts near and the other one in the sky."""

_TINY = 1e-8
_NEAR_PERCENTILE = 98
_NEAR_DISPARITY = 2.0
"""Of that percentile, after all disparities are brought to the tracker's unit."""

_DISPARITIES = (1e-4, 100.0)
"""In the tracker's unit: far ones are cut, nearer ones are unknown."""


@dataclass(frozen=True)
class MonoAlignment:
    """`(scale * relative + shift) / unit` is disparity in the tracker's unit."""

    scale: float
    shift: float
    unit: float
    """The tracker's disparity 1, per metre: depths of the tracker over it are metres."""


def align(
    relative: Float[np.ndarray, "f h w"], metric_depth_m: Float[np.ndarray, "f h w"]
) -> MonoAlignment:
    """One scale and shift for all frames: those of the frame whose product is the median.

    Raises:
        ValueError: relative disparity is the same everywhere, or grows with depth.
    """
    fits = np.array([_fit(*frame) for frame in zip(relative, metric_depth_m, strict=True)])
    product = fits.prod(axis=1)
    scale, shift = fits[np.abs(product - np.median(product)).argmin()]
    unit = np.percentile(scale * relative + shift, _NEAR_PERCENTILE) / _NEAR_DISPARITY
    if not (scale > 0 and unit > 0):
        raise ValueError("depth of single pictures does not fit together: no common scale")
    return MonoAlignment(float(scale), float(shift), float(unit))


def _fit(
    relative: Float[np.ndarray, "h w"], metric_depth_m: Float[np.ndarray, "h w"]
) -> tuple[float, float]:
    wanted = 1 / (metric_depth_m.astype(np.float64) + _TINY)
    wanted[(metric_depth_m < _MISTAKEN_DEPTH_M) & (relative < _MISTAKEN_SKY)] = _SKY_DISPARITY
    ground = relative > _SKY
    if 0 < ground.mean() < 1 - _MOSTLY_SKY:
        relative, wanted = relative[ground], wanted[ground]
    slopes = (wanted - np.median(wanted) + _TINY) / (relative - np.median(relative) + _TINY)
    scale = np.median(slopes)
    return float(scale), float(np.median(wanted - scale * relative))


def tracker_disparity(
    relative: Float[np.ndarray, "f h w"], alignment: MonoAlignment
) -> Float[np.ndarray, "f h w"]:
    """Disparity in the tracker's unit; zero where it is not known."""
    found = (alignment.scale * relative + alignment.shift) / alignment.unit
    least, most = _DISPARITIES
    return np.where(found > most, 0, np.maximum(found, least)).astype(np.float32)


def cell_disparity(disparity: Float[Tensor, "f 8*h 8*w"]) -> Float[Tensor, "f h w"]:
    """One over the mean depth of the known pixels of every cell; zero where none is known."""
    known = disparity > 0
    depth = torch.where(known, 1 / torch.where(known, disparity, 1), 0)
    share, mean = (F.avg_pool2d(each[:, None], CELL_PX)[:, 0] for each in (known.float(), depth))
    return torch.where(share > 0, share / torch.where(share > 0, mean, 1), 0)


def focal_px(fields_of_view_deg: Float[np.ndarray, " f"], width_px: int) -> float:
    """Of the whole video, by the median of the frames' horizontal fields of view."""
    return float(width_px / (2 * np.tan(np.radians(np.median(fields_of_view_deg)) / 2)))
