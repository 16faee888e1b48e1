"""Sizes of a VIMO network."""

from dataclasses import dataclass

CROP_PX = 256
"""Side of the square crop; the backbone sees its middle `CROP_PX * 3 / 4` columns."""

WINDOW = 16
"""Frames that the temporal modules see at once."""


@dataclass(frozen=True)
class VimoConfig:
    """Sizes of every part; the defaults are those of the official checkpoint (TRAM, 692.8 M)."""

    dim: int = 1280
    depth: int = 32
    heads: int = 16
    mlp_ratio: float = 4.0
    spacetime_dim: int = 512
    spacetime_depth: int = 6
    spacetime_feedforward: int = 1024
    motion_dim: int = 384
    motion_depth: int = 6
    motion_feedforward: int = 1024
    temporal_heads: int = 4
    temporal_dropout: float = 0.1
    head_dim: int = 1024
    head_depth: int = 6
    head_heads: int = 8
    head_attention_dim: int = 64
    head_feedforward: int = 1024

    @staticmethod
    def demo() -> "VimoConfig":
        """The configuration of the embedded demo checkpoint, under 3.3 M parameters.

        Its backbone is as wide as the demo's ViTPose, whose first layers it is trained from.
        """
        return VimoConfig(
            dim=160,
            depth=6,
            heads=5,
            mlp_ratio=4.0,
            spacetime_dim=96,
            spacetime_depth=2,
            spacetime_feedforward=192,
            motion_dim=96,
            motion_depth=2,
            motion_feedforward=192,
            temporal_dropout=0.0,
            head_dim=160,
            head_depth=3,
            head_heads=10,
            head_attention_dim=16,
            head_feedforward=160,
        )
