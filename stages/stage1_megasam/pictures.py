"""Frames at the size at which the networks are shown them."""

import numpy as np
import torch
from jaxtyping import Bool, UInt8
from torch import Tensor

from stages.cameras.frames import Frames
from stages.cameras.resizing import MULTIPLE_PX, Resizing


def picture_size(height: int, width: int, long_side_px: int) -> Resizing:
    """The original's rule: the long side as given, the short one in proportion, cut to whole
    pixels, then both up to a multiple of 8. Pictures are only resized, nothing is cut off.
    """

    def side(length: int) -> int:
        pixels = length * long_side_px // max(height, width)
        return max(-(-pixels // MULTIPLE_PX), 1) * MULTIPLE_PX

    return Resizing(height, width, side(height), side(width))


def shown(frames: Frames, resizing: Resizing) -> UInt8[Tensor, "f 3 H W"]:
    """All frames, resized.

    Raises:
        VideoError: one has another size than the first.
    """
    small = np.stack([resizing.image(frames.rgb(frame)) for frame in range(len(frames))])
    return torch.from_numpy(small).movedim(-1, 1).contiguous()


def masked(frames: Frames, resizing: Resizing) -> Bool[Tensor, "f H W"]:
    """Where people are in all frames.

    Raises:
        ArtifactError: a mask is missing or of another size than its frame.
    """
    small = [resizing.mask(frames.people(frame)) for frame in range(len(frames))]
    return torch.from_numpy(np.stack(small))
