"""All frames together: a graph of whatever is near each other, built anew, and its solution.

Rules and defaults are those of DROID-SLAM's back end as MegaSaM runs it.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from stages.stage1_megasam.bundle_adjustment import MonoPrior, Solve, adjust
from stages.stage1_megasam.graph.distance import FULL_SHARE, distances
from stages.stage1_megasam.graph.edges import NONE
from stages.stage1_megasam.graph.proximity import Proximity, proximity_edges
from stages.stage1_megasam.network.aggregation import mean_by_group
from stages.stage1_megasam.tracking.frame_graph import FrameGraph
from stages.stage1_megasam.tracking.keyframes import Keyframes, not_too_far
from stages.stage1_megasam.tracking.matching import Matcher

_ITERATIONS = 2
_ITERATIONS_WITH_FOCAL = 4
_RELATIVE_DAMPING = 1e-5
_ABSOLUTE_DAMPING = 1e-2


@dataclass(frozen=True)
class BackEndRules:
    """How edges are chosen; lengths of flow are in cells."""

    radius: int = 2
    suppression: int = 3
    threshold: float = 16.0
    edges_a_frame: int = 16
    full_share: float = FULL_SHARE


@dataclass(frozen=True)
class Terms:
    """What takes part besides cameras, disparities and flow."""

    prior_weight: float = 0.0
    """Of single pictures' disparities; zero: they do not take part."""
    focal: bool = False
    """Whether the focal lengths are free."""


def near_graph(matcher: Matcher, frames: Keyframes, rules: BackEndRules) -> FrameGraph:
    """Edges between frames that see much the same, wherever they are in the video."""
    count = len(frames)
    every = torch.arange(count, device=frames.numbers.device)
    rows, columns = torch.meshgrid(every, every, indexing="ij")
    apart = distances(frames.scene, rows.flatten(), columns.flatten(), rules.full_share)
    rule = Proximity(rules.radius, rules.suppression, rules.threshold, rules.edges_a_frame * count)
    graph = FrameGraph(frames, matcher)
    graph.add(proximity_edges(apart.view(count, count).cpu().numpy(), 0, 0, NONE, rule))
    return graph


def solve_together(graph: FrameGraph, steps: int, terms: Terms) -> Float[Tensor, "f h w"]:
    """Revises the flow and adjusts all of a graph's frames to it, so many times.

    The first camera stays. Returns the probability that a cell is part of the static world, as the
    mean over the edges from its frame says.

    Raises:
        ValueError: there is no edge, or no step.
    """
    if steps < 1:
        raise ValueError("a solution needs one step or more")
    frames = graph.keyframes
    prior = MonoPrior(frames.prior, terms.prior_weight) if terms.prior_weight else None
    solve = Solve(1, len(frames), _RELATIVE_DAMPING, _ABSOLUTE_DAMPING, terms.focal)
    iterations = _ITERATIONS_WITH_FOCAL if terms.focal else _ITERATIONS
    for _ in range(steps):
        found = graph.revise()
        flow = graph.flow(graph.active)
        frames.scene = not_too_far(adjust(frames.scene, flow, prior, solve, iterations))
    sources = graph.active.pairs[:, 0]
    return mean_by_group(found.static[:, None], sources, len(frames))[:, 0]
