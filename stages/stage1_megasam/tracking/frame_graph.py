"""The frame graph: edges between keyframes, the flow along them, and steps that explain it."""

from dataclasses import dataclass, replace

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from stages.stage1_megasam.bundle_adjustment import (
    FlowEdges,
    MonoPrior,
    Solve,
    adjust,
    adjust_cameras,
)
from stages.stage1_megasam.graph.edges import Pairs, making_room, without
from stages.stage1_megasam.projection import see
from stages.stage1_megasam.tracking.keyframes import Keyframes, not_too_far
from stages.stage1_megasam.tracking.matching import EdgeMemory, Matcher, Revision

_ITERATIONS = 2
_RELATIVE_DAMPING = 1e-4
_ABSOLUTE_DAMPING = 0.1
_LEAST_DAMPING = 1e-7
_PAST = 3
"""Edges that are no longer revised still count if both frames are at most this far before."""


@dataclass(frozen=True)
class Edges:
    """Pairs of keyframes, by their places among these, and the flow that was found last."""

    pairs: Int[Tensor, "n 2"]
    places: Float[Tensor, "n h w 2"]
    weights: Float[Tensor, "n h w 2"]

    def picked(self, rows: Bool[Tensor, " n"]) -> "Edges":
        """Some of them."""
        return Edges(self.pairs[rows], self.places[rows], self.weights[rows])

    def joined(self, other: "Edges") -> "Edges":
        """These and then others."""
        return Edges(
            torch.cat([self.pairs, other.pairs]),
            torch.cat([self.places, other.places]),
            torch.cat([self.weights, other.weights]),
        )

    def renumbered(self, removed: int) -> "Edges":
        """After a keyframe, which no edge has, is gone."""
        return replace(self, pairs=self.pairs - (self.pairs > removed).long())

    def touches(self, keyframe: int) -> Bool[Tensor, " n"]:
        """Which begin or end at a keyframe."""
        return (self.pairs == keyframe).any(dim=1)


class FrameGraph:
    """`active` edges are revised at every step, `inactive` ones were and still count."""

    def __init__(self, keyframes: Keyframes, matcher: Matcher) -> None:
        self.keyframes, self.matcher = keyframes, matcher
        flow = keyframes.scene.disparity.new_zeros(0, *keyframes.scene.disparity.shape[1:], 2)
        none = Edges(keyframes.numbers.new_zeros(0, 2), flow, flow)
        self.active, self.inactive = none, none
        self.age = keyframes.numbers.new_zeros(0)
        self.memory: EdgeMemory | None = None

    def known(self) -> Pairs:
        """All edges that are or were."""
        return torch.cat([self.active.pairs, self.inactive.pairs]).cpu().numpy()

    def add(self, pairs: Pairs, most: int | None = None) -> None:
        """Edges that are new; others become inactive if there would be more than `most`."""
        fresh = torch.from_numpy(without(pairs, self.known())).to(self.age.device)
        if not len(fresh):
            return
        if most is not None:
            gone = making_room(self.age.cpu().numpy(), len(fresh), most)
            self.retire(torch.from_numpy(gone).to(self.age.device))
        sources, targets = fresh.T
        places = see(self.keyframes.scene, sources, targets).places.to(self.active.places.dtype)
        self.active = self.active.joined(Edges(fresh, places, torch.zeros_like(places)))
        self.age = torch.cat([self.age, torch.zeros_like(sources)])
        numbers = self.keyframes.numbers
        memory = self.matcher.begin(numbers[sources], numbers[targets])
        self.memory = self.memory.joined(memory) if self.memory is not None else memory

    def retire(self, rows: Bool[Tensor, " n"]) -> None:
        """Some active edges are no longer revised."""
        self.inactive = self.inactive.joined(self.active.picked(rows))
        self._keep(~rows)

    def remove_keyframe(self, index: int) -> None:
        """A keyframe and all of its edges are forgotten."""
        self._keep(~self.active.touches(index))
        self.inactive = self.inactive.picked(~self.inactive.touches(index))
        self.active, self.inactive = (
            each.renumbered(index) for each in (self.active, self.inactive)
        )
        self.keyframes.remove(index)

    def step(self, first: int | None = None, cameras_only: bool = False) -> None:
        """Revises the flow, then adjusts cameras from `first` on, and disparities, to it.

        `first`: by default the one after the earliest source.
        """
        self.revise()
        if first is None:
            first = max(1, int(self.active.pairs[:, 0].min()) + 1)
        self._adjust(first, cameras_only)
        self.age = self.age + 1

    def revise(self) -> Revision:
        """Flow along the active edges, from where cells are seen by now.

        Raises:
            ValueError: there is no edge.
        """
        if self.memory is None:
            raise ValueError("a frame graph without edges has nothing to revise")
        frames, (sources, targets) = self.keyframes, self.active.pairs.T
        now = see(frames.scene, sources, targets).places.to(self.active.places.dtype)
        self.memory, found = self.matcher.revise(
            self.memory, frames.numbers[sources], frames.numbers[targets], now, self.active.places
        )
        self.active = replace(self.active, places=found.places, weights=found.weights)
        frames.damping = frames.damping.index_copy(0, sources.unique(), found.damping)
        return found

    def flow(self, edges: Edges) -> FlowEdges:
        """What bundle adjustment takes of edges of this graph."""
        sources, targets = edges.pairs.T
        damping = self.keyframes.damping[sources.unique()] + _LEAST_DAMPING
        return FlowEdges(sources, targets, edges.places, edges.weights, damping)

    def _adjust(self, first: int, cameras_only: bool) -> None:
        frames = self.keyframes
        recent = (self.inactive.pairs >= first - _PAST).all(dim=1)
        edges = self.inactive.picked(recent).joined(self.active)
        flow = self.flow(edges)
        end = int(edges.pairs.max()) + 1
        solve = Solve(first, end, _RELATIVE_DAMPING, _ABSOLUTE_DAMPING)
        if cameras_only:
            frames.scene = adjust_cameras(frames.scene, flow, solve, _ITERATIONS)
            return
        scene = adjust(frames.scene, flow, MonoPrior(frames.prior), solve, _ITERATIONS)
        frames.scene = not_too_far(scene)

    def _keep(self, rows: Bool[Tensor, " n"]) -> None:
        self.active, self.age = self.active.picked(rows), self.age[rows]
        if self.memory is not None:
            self.memory = self.memory.picked(rows)
