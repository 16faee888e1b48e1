"""Pictures of frames beside the place that is assumed, for people to look at."""

import cv2
import numpy as np
from jaxtyping import Float, UInt8

from stages.artifacts.world import WorldFrameView

GRID_M = 0.5


def beside_its_grid(
    frame: WorldFrameView, up: Float[np.ndarray, "3"]
) -> UInt8[np.ndarray, "H W2 3"]:
    """The image, and over it the assumed surface: its distance in colours, lines every 0.5 m.

    Args:
        up: against gravity, in the world.
    """
    rgb, depth, points = frame.rgb, frame.depth, frame.points.astype(np.float64)
    known = depth > 0
    inverse = np.where(known, 1 / np.where(known, depth, 1), 0)
    top = np.percentile(inverse[known], 99) if known.any() else 1.0
    shade = np.clip(inverse / top * 255, 0, 255).astype(np.uint8)
    colours = cv2.cvtColor(cv2.applyColorMap(shade, cv2.COLORMAP_TURBO), cv2.COLOR_BGR2RGB)
    mixed = (0.6 * rgb + 0.4 * colours).astype(np.uint8)
    side = np.cross(up, [0.0, 0.0, 1.0])
    side /= max(float(np.linalg.norm(side)), 1e-9)
    cells = np.floor(points @ np.stack([side, np.cross(up, side), up]).T / GRID_M)
    lines = np.zeros(known.shape, bool)
    lines[:, 1:] |= (cells[:, 1:, :2] != cells[:, :-1, :2]).any(axis=-1)
    lines[1:] |= (cells[1:, :, :2] != cells[:-1, :, :2]).any(axis=-1)
    mixed[lines & known & (depth < 15)] = 255
    return np.hstack([rgb, np.where(known[..., None], mixed, rgb // 2)])
