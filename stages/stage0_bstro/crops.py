"""The crop that BSTRO looks at: the person's box alone on black, squared, 224x224.

The rule is that of the original calling script: the box is cut out first, so that nothing of the
picture outside it is seen; the cut-out is then squared around its middle with its own longer side
and resized bilinearly without rounding to whole grey levels.
"""

import cv2
import numpy as np
import torch
from jaxtyping import Float, Float32, Int, UInt8

from stages.running.device import constant
from stages.stage0_bstro.network.config import CROP_PX

MEAN = (0.485, 0.456, 0.406)
STD = (0.229, 0.224, 0.225)


def square_corners(height: int, width: int) -> Int[np.ndarray, "4"]:
    """Integer (x0, y0, x1, y1) of the square around a cut-out, in the cut-out's own pixels.

    Corners are truncated toward zero after the arithmetic of the original's affine map and its
    inverse, in double precision, so that whole-pixel corners round as they do there.
    """
    side = 200 * (max(height, width) / 200)
    inverse_scale = 1 / (CROP_PX / side)
    shift = np.array([CROP_PX * (0.5 - (size / 2) / side) for size in (width, height)])
    low = -(inverse_scale * shift)
    return np.concatenate([low, inverse_scale * CROP_PX + low]).astype(np.int64)


def crop(
    image: UInt8[np.ndarray, "h w 3"], box_xyxy: Float[np.ndarray, "4"] | Int[np.ndarray, "4"]
) -> Float32[np.ndarray, "224 224 3"]:
    """One crop of an RGB picture, grey levels 0..255; box corners are truncated to pixels.

    Raises ValueError when nothing of the box lies inside the picture.
    """
    x1, y1, x2, y2 = (max(int(v), 0) for v in box_xyxy)
    person = image[y1:y2, x1:x2]
    height, width = person.shape[:2]
    if height == 0 or width == 0:
        raise ValueError(f"the box {[float(v) for v in box_xyxy]} holds no pixel of the picture")
    x0, y0, x1, y1 = square_corners(height, width)
    square = np.zeros((y1 - y0, x1 - x0, 3), np.float32)
    right, bottom = min(x1, width), min(y1, height)
    square[-y0 : bottom - y0, -x0 : right - x0] = person[:bottom, :right]
    return cv2.resize(square, (CROP_PX, CROP_PX), interpolation=cv2.INTER_LINEAR)


def normalise(crops: Float[torch.Tensor, "n 224 224 3"]) -> Float32[torch.Tensor, "n 3 224 224"]:
    """ImageNet mean and deviation, channels first."""
    mean, std = (constant(each, crops.device) for each in (MEAN, STD))
    return ((crops.float() / 255 - mean) / std).permute(0, 3, 1, 2).contiguous()
