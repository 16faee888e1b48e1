"""What bundle adjustment is given, besides the scene that it begins with."""

from dataclasses import dataclass

from jaxtyping import Float, Int
from torch import Tensor

MONO_WEIGHT = 0.05
"""Of the mono-disparity prior in the tracker's front end (MegaSaM's default)."""


@dataclass(frozen=True)
class FlowEdges:
    """Where cells of source frames were seen in target frames, and how sure that is."""

    sources: Int[Tensor, " n"]
    targets: Int[Tensor, " n"]
    places: Float[Tensor, "n h w 2"]
    """In cells of the target frame."""
    weights: Float[Tensor, "n h w 2"]
    """Of the two coordinates."""
    damping: Float[Tensor, "m h w"]
    """Of disparities, for each frame that is a source, in ascending order."""


@dataclass(frozen=True)
class MonoPrior:
    """Disparities of single pictures, which pull where they are above zero."""

    disparity: Float[Tensor, "f h w"]
    weight: float = MONO_WEIGHT


@dataclass(frozen=True)
class Solve:
    """Which cameras are free, and how Gauss-Newton steps are damped."""

    first: int
    end: int
    """Cameras from `first` to before `end` are free, the others stay."""
    relative_damping: float
    absolute_damping: float
    """The diagonal d of cameras and focal becomes d + absolute + relative d."""
    focal: bool = False
    """Whether the focal lengths are free."""
