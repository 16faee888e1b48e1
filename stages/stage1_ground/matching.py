"""Features of the background and their matches between two frames of one size."""

from typing import NamedTuple

import cv2
import numpy as np
from jaxtyping import Bool, Float, Float32, UInt8

MAX_FEATURES = 900
DISTINCT = 0.8
"""A match must be so much nearer than the second best (Lowe 2004)."""


class Features(NamedTuple):
    """Places (px) and descriptors of a frame's features."""

    pixels: Float[np.ndarray, "N 2"]
    descriptors: Float32[np.ndarray, "N 128"]


def find_features(grey: UInt8[np.ndarray, "H W"], background: Bool[np.ndarray, "H W"]) -> Features:
    """SIFT features on the background."""
    sift = cv2.SIFT.create(nfeatures=MAX_FEATURES)
    found, descriptors = sift.detectAndCompute(grey, background.astype(np.uint8))
    if descriptors is None:
        return Features(np.zeros((0, 2)), np.zeros((0, 128), np.float32))
    return Features(np.array([point.pt for point in found], np.float64), descriptors)


def match(
    first: Features, second: Features
) -> tuple[Float[np.ndarray, "M 2"], Float[np.ndarray, "M 2"]]:
    """Places of what both frames show, in the first and in the second."""
    if min(len(first.pixels), len(second.pixels)) < 2:
        return np.zeros((0, 2)), np.zeros((0, 2))
    pairs = cv2.BFMatcher().knnMatch(second.descriptors, first.descriptors, k=2)
    kept = [best for best, other in pairs if best.distance < DISTINCT * other.distance]
    return (
        first.pixels[[one.trainIdx for one in kept]].reshape(-1, 2),
        second.pixels[[one.queryIdx for one in kept]].reshape(-1, 2),
    )
