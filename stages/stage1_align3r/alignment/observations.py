"""What frames are aligned to."""

from dataclasses import dataclass

from jaxtyping import Bool, Float, Int
from torch import Tensor

from stages.stage1_align3r.network import PairMaps


@dataclass(frozen=True)
class Flows:
    """Where pixels of source frames are seen in target frames; the mean of their errors counts."""

    sources: Int[Tensor, " k"]
    targets: Int[Tensor, " k"]
    pixels: Float[Tensor, "k 2 h w"]
    """Column and row: away from the pixel's own."""
    times: float = 1.0
    """How often the mean counts."""


@dataclass(frozen=True)
class Observations:
    """All on one device. Pixels are points: the first is at (0, 0)."""

    pairs: Int[Tensor, "e 2"]
    maps: PairMaps
    flows: tuple[Flows, ...]
    """Empty: nothing is known of flow."""
    moving: Bool[Tensor, "n h w"]
    """Pixels of which flow says nothing about the camera."""

    @property
    def frames(self) -> int:
        """How many there are."""
        return len(self.moving)
