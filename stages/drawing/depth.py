"""Pictures of frames beside their depth, for people to look at."""

import cv2
import numpy as np
from jaxtyping import Float32, UInt8


def beside_its_depth(
    rgb: UInt8[np.ndarray, "H W 3"], depth: Float32[np.ndarray, "H W"]
) -> UInt8[np.ndarray, "H W2 3"]:
    """The image, and its inverse depth in colours; black where there is none."""
    known = depth > 0
    inverse = np.where(known, 1 / np.where(known, depth, 1), 0)
    top = np.percentile(inverse[known], 99) if known.any() else 1.0
    shade = np.clip(inverse / top * 255, 0, 255).astype(np.uint8)
    colours = cv2.cvtColor(cv2.applyColorMap(shade, cv2.COLORMAP_TURBO), cv2.COLOR_BGR2RGB)
    return np.hstack([rgb, np.where(known[..., None], colours, 0)])
