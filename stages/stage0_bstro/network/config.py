"""Sizes of a BSTRO network."""

from dataclasses import dataclass

CROP_PX = 224
"""Side of the square crop."""

GRID_CELLS = 49
"""Cells of the trunk's 7x7 output."""

BODY_VERTICES = 6890
"""Vertices of a body in SMPL's layout."""


@dataclass(frozen=True)
class BstroConfig:
    """Sizes of every part; the defaults are those of the official checkpoint (242.96 M).

    Trunk: `stem` channels, first stage bottlenecks of `stage1`, branches `width` times 1, 2, 4, 8
    with `blocks` each, `modules` in stages 2, 3, 4, head bottlenecks `head` times 1, 2, 4, 8, and
    `image_features` at the end. Encoders: hidden and output sizes of the three; the coarse and
    middle vertex counts lead up to the body's 6890.
    """

    stem: int = 64
    stage1: int = 64
    stage1_blocks: int = 4
    width: int = 64
    blocks: int = 4
    modules: tuple[int, int, int] = (1, 4, 3)
    head: int = 32
    image_features: int = 2048
    hidden: tuple[int, int, int] = (1024, 256, 128)
    outputs: tuple[int, int, int] = (512, 128, 1)
    layers: int = 4
    heads: int = 4
    feedforward: int = 3072
    positions: int = 512
    coarse_vertices: int = 431
    middle_vertices: int = 1723
    dropout: float = 0.1

    @staticmethod
    def demo() -> "BstroConfig":
        """The configuration of the embedded demo checkpoint, under 2.4 M parameters."""
        return BstroConfig(
            stem=24,
            stage1=16,
            stage1_blocks=2,
            width=12,
            blocks=2,
            modules=(1, 1, 1),
            head=6,
            image_features=192,
            hidden=(96, 64, 48),
            outputs=(64, 48, 1),
            layers=2,
            heads=4,
            feedforward=192,
            positions=96,
            coarse_vertices=96,
            middle_vertices=128,
            dropout=0.0,
        )
