"""Where the unknowns of edges sit in the system of all cameras.

Places beyond the last unknown collect what belongs to cameras that stay.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from stages.stage1_megasam.bundle_adjustment.problem import FlowEdges, Solve


@dataclass(frozen=True)
class Unknowns:
    """Numbering of free cameras, six numbers each, and of the focal after them."""

    count: int
    of_edges: Int[Tensor, "n u"]
    """Of each edge's source camera, target camera and focal; `count` where it stays."""

    @staticmethod
    def of(edges: FlowEdges, solve: Solve) -> "Unknowns":
        """For the edges of a graph."""
        cameras = solve.end - solve.first
        count = 6 * cameras + int(solve.focal)
        ends = torch.stack([edges.sources, edges.targets], dim=1)
        free = (ends >= solve.first) & (ends < solve.end)
        six = torch.arange(6, device=ends.device)
        numbers = 6 * (ends - solve.first)[..., None] + six
        places = torch.where(free[..., None], numbers, count).flatten(1)
        if solve.focal:
            last = places.new_full((len(places), 1), count - 1)
            places = torch.cat([places, last], dim=1)
        return Unknowns(count, places)


def add_blocks(
    into: Float[Tensor, "k k"], blocks: Float[Tensor, "n u u"], places: Int[Tensor, "n u"]
) -> None:
    """Adds square blocks, each at its places in both directions, in place."""
    flat = places[:, :, None] * into.shape[1] + places[:, None, :]
    into.view(-1).index_add_(0, flat.flatten(), blocks.flatten().to(into.dtype))


def add_vectors(
    into: Float[Tensor, " k"], vectors: Float[Tensor, "n u"], places: Int[Tensor, "n u"]
) -> None:
    """Adds vectors, each at its places, in place."""
    into.index_add_(0, places.flatten(), vectors.flatten().to(into.dtype))
