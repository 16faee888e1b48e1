"""Which pixels of a frame belong to the place and can be trusted."""

import cv2
import numpy as np
from jaxtyping import Bool, Float

BOX_LIMITS_M = (4.0, 8.0)
FALLBACK_HALF_M = 2.0
WINDOW_FRAMES = 5


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


def dilated(mask: Bool[np.ndarray, "H W"], size_px: int) -> Bool[np.ndarray, "H W"]:
    """The mask grown by a square of this size."""
    kernel = np.ones((size_px, size_px), np.uint8)
    return cv2.dilate(mask.astype(np.uint8), kernel) > 0


def trusted(
    depth_m: Float[np.ndarray, "H W"],
    confidence: Float[np.ndarray, "H W"],
    dynamic: Bool[np.ndarray, "H W"],
    gradient_thr: float,
    conf_thr: float,
    margin_px: int,
) -> Bool[np.ndarray, "H W"]:
    """Static pixels with a depth, away from people and from depth edges.

    Args:
        gradient_thr: metres a pixel; steeper places straddle an edge.
        conf_thr: lowest confidence; confidence 0 is a hole whatever the threshold.
        margin_px: how far from the people's masks.
    """
    has_depth = (confidence > 0) & (confidence >= conf_thr) & (depth_m > 0)
    smooth = depth_gradient(depth_m, has_depth) < gradient_thr
    return has_depth & smooth & ~dilated(dynamic, margin_px)


def boxes_around(
    joints: Float[np.ndarray, "T J 3"], scale: float
) -> tuple[Float[np.ndarray, "T 3"], Float[np.ndarray, "T 3"]]:
    """Centres and half sizes of the boxes around the people, one a frame.

    The size is the joints' extent times `scale`, between 4 and 8 m along each axis.
    """
    low, high = joints.min(1), joints.max(1)
    return (low + high) / 2, np.clip((high - low) * scale, *BOX_LIMITS_M) / 2


def inside(
    points: Float[np.ndarray, "N 3"],
    centres: Float[np.ndarray, "B 3"],
    halves: Float[np.ndarray, "B 3"],
) -> Bool[np.ndarray, " N"]:
    """Whether a point lies in the smallest box around some boxes."""
    low, high = (centres - halves).min(0), (centres + halves).max(0)
    return ((points >= low) & (points <= high)).all(1)
