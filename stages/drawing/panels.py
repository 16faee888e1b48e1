"""Several pictures in one: fitted into panels of one size, with a line of text each."""

import cv2
import numpy as np
from jaxtyping import UInt8
from PIL import Image, ImageDraw, ImageFont

from stages.drawing.colours import INK, PAPER, in_bytes

GAP_PX = 6
TEXT_PX = 15


def evenly_spread(count: int, wanted: int) -> list[int]:
    """Up to `wanted` different positions in a row of `count`, first and last among them."""
    return np.unique(np.linspace(0, count - 1, min(wanted, count)).round().astype(int)).tolist()


def fitted(
    image: UInt8[np.ndarray, "h w 3"], height: int, width: int
) -> UInt8[np.ndarray, "H W 3"]:
    """The whole image, as large as it fits, in the middle of a panel."""
    scale = min(height / image.shape[0], width / image.shape[1])
    h, w = (max(1, round(scale * side)) for side in image.shape[:2])
    way = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    panel = np.full((height, width, 3), in_bytes(PAPER), np.uint8)
    top, left = (height - h) // 2, (width - w) // 2
    panel[top : top + h, left : left + w] = cv2.resize(image, (w, h), interpolation=way)
    return panel


def titled(image: UInt8[np.ndarray, "H W 3"], text: str) -> UInt8[np.ndarray, "_ W 3"]:
    """The image below a line of text."""
    strip = Image.new("RGB", (image.shape[1], TEXT_PX + 8), in_bytes(PAPER))
    font = ImageFont.load_default(TEXT_PX)
    ImageDraw.Draw(strip).text((4, 2), text, font=font, fill=in_bytes(INK))
    return np.vstack([np.asarray(strip), image])


def grid(
    images: list[UInt8[np.ndarray, "_ _ 3"]], columns: int, titles: list[str] | None = None
) -> UInt8[np.ndarray, "H W 3"]:
    """Pictures of any sizes row by row, in panels of the first one's size.

    Raises:
        ValueError: no picture.
    """
    if not images:
        raise ValueError("there is no picture to lay out")
    height, width = images[0].shape[:2]
    panels = [fitted(image, height, width) for image in images]
    if titles is not None:
        panels = [titled(panel, text) for panel, text in zip(panels, titles, strict=True)]
    columns = min(columns, len(panels))
    panels += [np.full_like(panels[0], in_bytes(PAPER))] * (-len(panels) % columns)
    edge = GAP_PX // 2
    framed = [
        cv2.copyMakeBorder(
            panel, edge, edge, edge, edge, cv2.BORDER_CONSTANT, value=in_bytes(PAPER)
        )
        for panel in panels
    ]
    rows = [np.hstack(framed[first : first + columns]) for first in range(0, len(framed), columns)]
    return np.vstack(rows)
