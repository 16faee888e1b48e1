"""Sizes of the flow network, and those that trackers share."""

from dataclasses import dataclass

CELL_PX = 8
"""Side of a cell of the feature maps, in pixels of the picture."""

LEVELS = 4
"""Of the correlation pyramid."""

LEAST_PX = CELL_PX * 2 ** (LEVELS - 1)
"""Shortest side of pictures between which flow is found."""


@dataclass(frozen=True)
class RaftConfig:
    """Sizes of every part; the defaults are those of `raft-things.pth` (5.26 M).

    `encoder`: widths of the three stages of both encoders; `features`: channels that are
    correlated; `hidden`: of the recurrent state and of the context.
    """

    encoder: tuple[int, int, int] = (64, 96, 128)
    features: int = 256
    hidden: int = 128
