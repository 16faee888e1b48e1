"""The lens in cells, as the tracker has it, and in pixels, as the world file has it.

In both the first element has its middle at (0, 0), and the principal point is the middle of the
picture. The official code puts the edge of the first cell and of the first pixel there, half of
each away.
"""

from jaxtyping import Float
from torch import Tensor

from stages.flow.config import CELL_PX


def in_cells(intrinsics_px: Float[Tensor, " 4"]) -> Float[Tensor, " 4"]:
    """fx, fy, cx, cy of pixels as those of cells."""
    focal, centre = intrinsics_px.split(2)
    return _joined(focal / CELL_PX, (centre + 0.5) / CELL_PX - 0.5)


def in_pixels(intrinsics: Float[Tensor, " 4"]) -> Float[Tensor, " 4"]:
    """fx, fy, cx, cy of cells as those of pixels."""
    focal, centre = intrinsics.split(2)
    return _joined(focal * CELL_PX, (centre + 0.5) * CELL_PX - 0.5)


def _joined(focal: Tensor, centre: Tensor) -> Tensor:
    return focal.new_tensor([*focal.tolist(), *centre.tolist()])
