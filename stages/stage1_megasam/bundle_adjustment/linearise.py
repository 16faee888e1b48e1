"""Normal equations of every edge by itself: Gauss-Newton on weighted flow residuals.

Teed and Deng, "DROID-SLAM" (NeurIPS 2021), equations 4 and 5. An edge has twelve unknowns of
cameras (source, then target), one of the focal if that is free, and one disparity a cell.
"""

from dataclasses import dataclass, fields

import torch
from jaxtyping import Float
from torch import Tensor

from stages.stage1_megasam.bundle_adjustment.problem import FlowEdges
from stages.stage1_megasam.projection import Scene, see_with_jacobians

_WEIGHT_SCALE = 1e-3
"""Of the network's weights (DROID-SLAM); dampings and the prior's weight are relative to it."""

EDGES_AT_ONCE = 64
"""Bounds the memory that derivatives take: about a kilobyte a cell and edge."""


@dataclass(frozen=True)
class EdgeEquations:
    """Blocks of J^T W J and J^T W r; u is 12, or 13 with the focal."""

    cameras: Float[Tensor, "n u u"]
    coupling: Float[Tensor, "n u p"]
    """Cameras with the disparity of every cell of the source."""
    disparity: Float[Tensor, "n p"]
    """The diagonal: no two disparities meet in a residual."""
    camera_pull: Float[Tensor, "n u"]
    disparity_pull: Float[Tensor, "n p"]


def linearise(scene: Scene, edges: FlowEdges, focal: bool) -> EdgeEquations:
    """The equations of all edges at a scene.

    They are computed in float64: rounding of a pose moves all cells of an edge together, which
    thousands of cells do not average out. What a cell has of its own is kept in the type of the
    flow.
    """
    exact = scene.double()
    places = zip(
        edges.sources.split(EDGES_AT_ONCE),
        edges.targets.split(EDGES_AT_ONCE),
        edges.places.split(EDGES_AT_ONCE),
        edges.weights.split(EDGES_AT_ONCE),
        strict=True,
    )
    parts = [_equations(exact, *some, focal) for some in places]
    names = [field.name for field in fields(EdgeEquations)]
    return EdgeEquations(*(torch.cat([getattr(part, name) for part in parts]) for name in names))


def _equations(
    scene: Scene, sources: Tensor, targets: Tensor, places: Tensor, weights: Tensor, focal: bool
) -> EdgeEquations:
    seen, by = see_with_jacobians(scene, sources, targets)
    weight = (_WEIGHT_SCALE * weights * seen.valid[..., None]).flatten(1, 2)
    residual = (places - seen.places).flatten(1, 2)
    columns = [by.source, by.target, by.focal[..., None]] if focal else [by.source, by.target]
    camera = torch.cat(columns, dim=-1).flatten(1, 2)
    weighted = camera * weight[..., None]
    depth = by.disparity.flatten(1, 2)
    rows = weighted.flatten(1, 2).mT
    return EdgeEquations(
        cameras=rows @ camera.flatten(1, 2),
        coupling=torch.einsum("npcu,npc->nup", weighted, depth).to(places.dtype),
        disparity=(weight * depth**2).sum(dim=-1).to(places.dtype),
        camera_pull=(rows @ residual.flatten(1)[..., None])[..., 0],
        disparity_pull=(weight * depth * residual).sum(dim=-1).to(places.dtype),
    )
