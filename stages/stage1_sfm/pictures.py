"""Pictures of frames beside their depth, for people to look at."""

from pathlib import Path

import cv2
import numpy as np
from jaxtyping import UInt8

from stages.artifacts.images import write_image
from stages.artifacts.world import WorldFrame


def beside_its_depth(frame: WorldFrame) -> UInt8[np.ndarray, "H W2 3"]:
    """The image, and its inverse depth in colours; black where there is none."""
    known = frame.depth > 0
    inverse = np.where(known, 1 / np.where(known, frame.depth, 1), 0)
    top = np.percentile(inverse[known], 99) if known.any() else 1.0
    shade = np.clip(inverse / top * 255, 0, 255).astype(np.uint8)
    colours = cv2.cvtColor(cv2.applyColorMap(shade, cv2.COLORMAP_TURBO), cv2.COLOR_BGR2RGB)
    return np.hstack([frame.rgb, np.where(known[..., None], colours, 0)])


def write_picture(folder: Path, frame: WorldFrame) -> None:
    """Writes `<frame name>.jpg`."""
    write_image(folder / f"{frame.name}.jpg", beside_its_depth(frame))
