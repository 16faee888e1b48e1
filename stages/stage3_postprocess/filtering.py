"""Which pixels of a frame belong to the place and can be trusted."""

import cv2
import numpy as np
from jaxtyping import Bool, Float

from stages.geometry.depth_maps import depth_gradient

BOX_LIMITS_M = (4.0, 8.0)
FALLBACK_HALF_M = 2.0
WINDOW_FRAMES = 5


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
