"""What the edges of one source frame say of its disparities, gathered frame by frame."""

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from stages.stage1_megasam.bundle_adjustment.linearise import EdgeEquations
from stages.stage1_megasam.bundle_adjustment.problem import FlowEdges
from stages.stage1_megasam.bundle_adjustment.unknowns import Unknowns


@dataclass(frozen=True)
class SourceEquations:
    """Rows: the source's camera, the target's of each of its edges, and the focal if it is free.

    Frames with fewer edges than others have rows of zeros, whose place is no unknown.
    """

    frames: Int[Tensor, " m"]
    coupling: Float[Tensor, "m r p"]
    places: Int[Tensor, "m r"]
    disparity: Float[Tensor, "m p"]
    pull: Float[Tensor, "m p"]


def gather(edges: FlowEdges, equations: EdgeEquations, unknowns: Unknowns) -> SourceEquations:
    """Sums over the edges of each source frame; targets keep rows of their own."""
    frames, group, counts = edges.sources.unique(return_inverse=True, return_counts=True)
    order = group.argsort(stable=True)
    rank = torch.empty_like(group)
    starts = (counts.cumsum(0) - counts)[group[order]]
    rank[order] = torch.arange(len(group), device=group.device) - starts

    def summed(values: Tensor) -> Tensor:
        return values.new_zeros(len(frames), *values.shape[1:]).index_add(0, group, values)

    degree = int(counts.max())
    of_targets = equations.coupling[:, 6:12]
    targets = of_targets.new_zeros(len(frames), degree, *of_targets.shape[1:])
    targets[group, rank] = of_targets
    target_places = group.new_full((len(frames), degree, 6), unknowns.count)
    target_places[group, rank] = unknowns.of_edges[:, 6:12]

    # All edges of a source name the same camera and the same focal.
    own_places = unknowns.of_edges.new_empty(len(frames), unknowns.of_edges.shape[1])
    own_places[group] = unknowns.of_edges
    own = summed(torch.cat([equations.coupling[:, :6], equations.coupling[:, 12:]], dim=1))
    return SourceEquations(
        frames=frames,
        coupling=torch.cat([own, targets.flatten(1, 2)], dim=1),
        places=torch.cat([own_places[:, :6], own_places[:, 12:], target_places.flatten(1)], dim=1),
        disparity=summed(equations.disparity),
        pull=summed(equations.disparity_pull),
    )
