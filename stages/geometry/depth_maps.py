"""Depth of point maps, and how steeply it changes from pixel to pixel."""

import numpy as np
from jaxtyping import Bool, Float


def camera_depth(
    points: Float[np.ndarray, "H W 3"], T_world_camera: Float[np.ndarray, "4 4"]
) -> Float[np.ndarray, "H W"]:
    """z-depth of a point map in its own units: metres after stage 2."""
    return (points - T_world_camera[:3, 3]) @ T_world_camera[:3, 2]


def depth_gradient(
    depth_m: Float[np.ndarray, "H W"], valid: Bool[np.ndarray, "H W"]
) -> Float[np.ndarray, "H W"]:
    """Length of the depth's gradient in metres a pixel; infinite beside holes."""
    padded = np.where(valid, depth_m, np.nan)
    dy, dx = np.gradient(padded)
    length = np.hypot(dx, dy)
    return np.where(np.isfinite(length), length, np.inf)
