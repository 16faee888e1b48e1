"""Sizes of the tracker's network."""

from dataclasses import dataclass

RADIUS = 3
"""Of the window that is looked up around a place in every level, in cells of that level."""


@dataclass(frozen=True)
class DroidConfig:
    """Sizes of every part; the defaults are those of the official checkpoint (5.19 M).

    `encoder`: widths of the three stages of both encoders; `features`: channels that are
    correlated; `hidden`: of the recurrent state, of the context and inside of the update operator.
    """

    encoder: tuple[int, int, int] = (32, 64, 128)
    features: int = 128
    hidden: int = 128
    long_side_px: int = 512
    """Of the pictures that it is shown."""
