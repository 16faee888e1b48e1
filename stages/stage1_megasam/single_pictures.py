"""What networks read off every picture by itself, in the tracker's unit.

The relative prior is the original's (Depth Anything). What gives metres and the field of view can
be any network that `stages.weights.metric_depth` knows.
"""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from stages.geometry.pinhole import FOCAL_OVER_LONG_SIDE
from stages.stage1_megasam.mono_prior import MonoAlignment, align, focal_px, tracker_disparity
from stages.weights.depth_anything import DepthAnything
from stages.weights.metric_depth import Metric

_AT_ONCE = 4


@dataclass(frozen=True)
class Prior:
    """Of all frames of a video."""

    disparity: Float[np.ndarray, "f h w"]
    """In the tracker's unit; zero where unknown."""
    alignment: MonoAlignment
    focal_px: float
    """Of the pictures."""
    focal_assumed: bool
    """Whether no network told it."""


def prior(
    relative: DepthAnything, metric: Metric, pictures: UInt8[Tensor, "f 3 h w"], device: str
) -> Prior:
    """Disparity and focal length of a video.

    Raises:
        ValueError: the two networks contradict each other.
    """
    disparities, depths, fields = [], [], []
    for few in pictures.split(_AT_ONCE):
        on_device = few.to(device)
        disparities.append(relative(on_device).cpu().numpy())
        depth, fov = metric(on_device)
        depths.append(depth.cpu().numpy())
        if fov is not None:
            fields.append(fov.cpu().numpy())
    found = np.concatenate(disparities)
    alignment = align(found, np.concatenate(depths))
    wide = pictures.shape[-1]
    if fields:
        focal = focal_px(np.concatenate(fields), wide)
    else:
        focal = FOCAL_OVER_LONG_SIDE * max(pictures.shape[-2:])
    return Prior(tracker_disparity(found, alignment), alignment, focal, not fields)


def lens_of(prior: Prior, height: int, width: int) -> Float[Tensor, " 4"]:
    """fx, fy, cx, cy of the pictures to begin with."""
    middle = [(width - 1) / 2, (height - 1) / 2]
    return torch.tensor([prior.focal_px, prior.focal_px, *middle])
