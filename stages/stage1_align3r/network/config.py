"""Sizes of the two-view network."""

from dataclasses import dataclass

PATCH_PX = 16
"""Side of the square of pixels that one token stands for."""

HEAD_WIDTH = 64
"""Of attention, in the encoder and in the decoders."""


@dataclass(frozen=True)
class Align3rConfig:
    """Sizes of every part; the defaults are those of the official checkpoint (603 M).

    `encoder_*`, `decoder_*`: tokens' width and number of blocks; `layers`: channels of the four
    levels that the heads read; `features`: channels in which the heads fuse them; `last`: of the
    heads' last layer.
    """

    encoder_width: int = 1024
    encoder_depth: int = 24
    decoder_width: int = 768
    decoder_depth: int = 12
    layers: tuple[int, int, int, int] = (96, 192, 384, 768)
    features: int = 256
    last: int = 128
    long_side_px: int = 512
    """Of the pictures that it is shown."""

    @property
    def prior_depth(self) -> int:
        """Blocks of the branch that reads the depth prior."""
        return self.decoder_depth // 2 - 2

    @property
    def read_after(self) -> tuple[int, int, int, int]:
        """Blocks of a decoder after which a head reads its tokens; 0: those of the encoder."""
        return (0, self.decoder_depth // 2, self.decoder_depth * 3 // 4, self.decoder_depth)
