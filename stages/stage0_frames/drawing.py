"""The picture of stage0-frames for `--vis`: a contact sheet of frames spread over the clip."""

import numpy as np
from jaxtyping import Float, UInt8

from stages.drawing.panels import fitted, grid

FRAMES, COLUMNS = 12, 4
LONG_SIDE_PX = 480


def picture(
    images: list[UInt8[np.ndarray, "H W 3"]],
    names: list[str],
    times_s: Float[np.ndarray, " T"] | None,
) -> UInt8[np.ndarray, "_ _ 3"]:
    """Lays out frames with their names and, where they are known, times.

    Raises:
        ValueError: no frame.
    """
    if times_s is not None:
        names = [f"{name}  {time:.2f} s" for name, time in zip(names, times_s, strict=True)]
    return grid([_small(image) for image in images], COLUMNS, names)


def _small(image: UInt8[np.ndarray, "H W 3"]) -> UInt8[np.ndarray, "h w 3"]:
    height, width = image.shape[:2]
    scale = LONG_SIDE_PX / max(height, width)
    return fitted(image, round(scale * height), round(scale * width))
