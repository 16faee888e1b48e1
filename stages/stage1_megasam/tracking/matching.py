"""What tracking asks of whatever finds flow between frames."""

from dataclasses import dataclass
from typing import Protocol

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor


@dataclass(frozen=True)
class Revision:
    """What a step says of edges, and of their source frames in ascending order."""

    places: Float[Tensor, "n h w 2"]
    """Where each cell of the source is seen in the target; cells."""
    weights: Float[Tensor, "n h w 2"]
    """How sure that is, 0 to 1."""
    static: Float[Tensor, "n h w"]
    """Probability that the cell is part of the static world."""
    damping: Float[Tensor, "m h w"]
    """Of the source frames' disparities."""


@dataclass(frozen=True)
class EdgeMemory:
    """What a matcher keeps of each edge between steps: tensors with a row an edge."""

    rows: tuple[Tensor, ...]

    def picked(self, rows: Bool[Tensor, " n"]) -> "EdgeMemory":
        """Of some of the edges."""
        return EdgeMemory(tuple(each[rows] for each in self.rows))

    def joined(self, other: "EdgeMemory") -> "EdgeMemory":
        """Of these edges and then others."""
        both = zip(self.rows, other.rows, strict=True)
        return EdgeMemory(tuple(torch.cat(pair) for pair in both))


class Matcher(Protocol):
    """Finds flow between frames, which it knows by their numbers in the video."""

    def mean_motion(self, source: int, target: int) -> float:
        """A first look at how far cells move from one frame to another; cells."""

    def begin(self, sources: Int[Tensor, " n"], targets: Int[Tensor, " n"]) -> EdgeMemory:
        """What is known of edges before the first step."""

    def revise(
        self,
        memory: EdgeMemory,
        sources: Int[Tensor, " n"],
        targets: Int[Tensor, " n"],
        places: Float[Tensor, "n h w 2"],
        wanted: Float[Tensor, "n h w 2"],
    ) -> tuple[EdgeMemory, Revision]:
        """One step: from places that cameras and depth give, and those that were found last."""
