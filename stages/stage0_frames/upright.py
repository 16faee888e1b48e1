"""What a player shows of a decoded picture: upright, unmirrored, with square pixels."""

import struct
from fractions import Fraction
from typing import Any

import av
import numpy as np
from av.sidedata.sidedata import Type
from jaxtyping import UInt8

MOST_STRETCHED = 4
"""Pixels that claim to be longer than this are taken for square."""


def is_turned(frame: av.VideoFrame) -> bool:
    """Whether rows are shown as columns."""
    (a, _), (c, _) = _matrix(frame)
    return abs(a) < abs(c)


def shown_size(frame: av.VideoFrame, pixel_aspect: Fraction | None) -> tuple[int, int]:
    """Width and height in pixels when shown, the height (as stored) kept.

    Args:
        pixel_aspect: width of a stored pixel over its height; None or 0 if the file does not say.
    """
    aspect = pixel_aspect or Fraction(1)
    if not 1 / MOST_STRETCHED <= aspect <= MOST_STRETCHED:
        aspect = Fraction(1)
    size = round(frame.width * aspect), frame.height
    return size[::-1] if is_turned(frame) else size


def shown(frame: av.VideoFrame, size: tuple[int, int]) -> UInt8[np.ndarray, "H W 3"]:
    """The picture as RGB, stretched to this width and height of what is shown."""
    turned = is_turned(frame)
    width, height = size[::-1] if turned else size
    image = frame.reformat(width=width, height=height, format="rgb24").to_ndarray()
    (a, b), (c, d) = _matrix(frame)
    if turned:
        image, across, down = image.swapaxes(0, 1), c, b
    else:
        across, down = a, d
    image = image[:, ::-1] if across < 0 else image
    return np.ascontiguousarray(image[::-1] if down < 0 else image)


def _matrix(frame: av.VideoFrame) -> tuple[tuple[int, int], tuple[int, int]]:
    """The display matrix ((a, b), (c, d)): stored (x, y) is shown at (ax + cy, bx + dy)."""
    sides: Any = frame.side_data
    if Type.DISPLAYMATRIX not in sides:
        return (1, 0), (0, 1)
    side = sides[Type.DISPLAYMATRIX]
    a, b, _, c, d = struct.unpack("=5i", bytes(side)[:20])
    return (a, b), (c, d)
