"""Flow found by the tracker's network."""

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from stages.flow.config import LEVELS
from stages.flow.correlation import CorrelationPyramid, look_up_on_the_fly
from stages.flow.grid import cell_grid
from stages.stage1_megasam.network import (
    DroidNet,
    FrameFeatures,
)
from stages.stage1_megasam.network.config import RADIUS
from stages.stage1_megasam.network.update import motion_features
from stages.stage1_megasam.tracking.matching import EdgeMemory, Revision

_SOURCES_AT_ONCE = 8


class NetworkMatcher:
    """Keeps the features of all frames that it was shown, and a correlation volume an edge.

    An edge's memory: its recurrent state, then the levels of its volume.
    """

    def __init__(self, network: DroidNet) -> None:
        self.network = network
        self._features: dict[int, FrameFeatures] = {}
        self._still: dict[int, Tensor] = {}

    @torch.no_grad()
    def show(
        self,
        number: int,
        picture: Float[Tensor, "3 8*h 8*w"],
        people: Bool[Tensor, "h w"] | None = None,
    ) -> None:
        """A frame of the video, RGB, 0 to 255, before it is asked for.

        `people`: cells that are known to move, whatever the network finds of them.
        """
        self._features[number] = self.network.frame_features(picture[None])
        if people is not None:
            self._still[number] = (~people).to(picture.dtype)

    @torch.no_grad()
    def mean_motion(self, source: int, target: int) -> float:
        """One step without a graph, from where nothing moves; cells."""
        here, there = self._features[source], self._features[target]
        volume = CorrelationPyramid.between(here.matching, there.matching, LEVELS, RADIUS)
        still = cell_grid(here.state)[None]
        seen = volume.look_up(still)
        motion = motion_features(still, still)
        found = self.network.update.step(here.state, here.context, seen, motion)
        return float(found.delta.norm(dim=-1).mean())

    @torch.no_grad()
    def begin(self, sources: Int[Tensor, " n"], targets: Int[Tensor, " n"]) -> EdgeMemory:
        """States as the source frames give them, and volumes of all pairs of cells."""
        volume = CorrelationPyramid.between(
            self._gathered("matching", sources), self._gathered("matching", targets), LEVELS, RADIUS
        )
        return EdgeMemory((self._gathered("state", sources), *volume.levels))

    @torch.no_grad()
    def revise(
        self,
        memory: EdgeMemory,
        sources: Int[Tensor, " n"],
        targets: Int[Tensor, " n"],
        places: Float[Tensor, "n h w 2"],
        wanted: Float[Tensor, "n h w 2"],
    ) -> tuple[EdgeMemory, Revision]:
        """One step of the update operator."""
        state, *levels = memory.rows
        seen = CorrelationPyramid(tuple(levels), RADIUS).look_up(places)
        state, revision = self._updated(state, seen, sources, places, wanted)
        return EdgeMemory((state, *levels)), revision

    def _updated(
        self, state: Tensor, seen: Tensor, sources: Tensor, places: Tensor, wanted: Tensor
    ) -> tuple[Float[Tensor, "n d h w"], Revision]:
        frames, group = sources.unique(return_inverse=True)
        found = self.network.update(
            state,
            self._gathered("context", sources),
            seen,
            motion_features(places, wanted),
            group,
            len(frames),
        )
        weight, static = found.weight, found.static[:, 0]
        if self._still:
            still = torch.stack([self._still[i] for i in frames.tolist()])[group]
            weight, static = weight * still[..., None], static * still
        revision = Revision(places + found.edges.delta, weight, static, found.damping)
        return found.edges.state, revision

    def _gathered(self, name: str, numbers: Tensor) -> Float[Tensor, "n c h w"]:
        frames, rows = numbers.unique(return_inverse=True)
        return torch.cat([getattr(self._features[i], name) for i in frames.tolist()])[rows]


class FrugalMatcher(NetworkMatcher):
    """The same without volumes in memory, for graphs of many edges.

    They are computed for a few edges at a time whenever they are looked up, as in DROID-SLAM's
    back end. An edge's memory is its recurrent state.
    """

    def __init__(self, other: NetworkMatcher) -> None:
        super().__init__(other.network)
        self._features, self._still = other._features, other._still

    @torch.no_grad()
    def begin(self, sources: Int[Tensor, " n"], targets: Int[Tensor, " n"]) -> EdgeMemory:
        """States as the source frames give them."""
        return EdgeMemory((self._gathered("state", sources),))

    @torch.no_grad()
    def revise(
        self,
        memory: EdgeMemory,
        sources: Int[Tensor, " n"],
        targets: Int[Tensor, " n"],
        places: Float[Tensor, "n h w 2"],
        wanted: Float[Tensor, "n h w 2"],
    ) -> tuple[EdgeMemory, Revision]:
        """One step of the update operator, on the edges of a few source frames at a time."""
        (states,) = memory.rows
        frames, group = sources.unique(return_inverse=True)
        fresh, places_found = torch.empty_like(states), torch.empty_like(places)
        weights, static = torch.empty_like(places), torch.empty_like(places[..., 0])
        damping = places.new_empty(len(frames), *places.shape[1:3])
        for first in range(0, len(frames), _SOURCES_AT_ONCE):
            end = first + _SOURCES_AT_ONCE
            rows = torch.nonzero((group >= first) & (group < end))[:, 0]
            seen = self._looked_up(sources[rows], targets[rows], places[rows])
            fresh[rows], found = self._updated(
                states[rows], seen, sources[rows], places[rows], wanted[rows]
            )
            places_found[rows], weights[rows] = found.places, found.weights
            static[rows], damping[first:end] = found.static, found.damping
        return EdgeMemory((fresh,)), Revision(places_found, weights, static, damping)

    def _looked_up(
        self, sources: Tensor, targets: Tensor, places: Tensor
    ) -> Float[Tensor, "n d h w"]:
        frames, ends = torch.cat([sources, targets]).unique(return_inverse=True)
        i, j = ends.chunk(2)
        return look_up_on_the_fly(self._gathered("matching", frames), i, j, places, LEVELS, RADIUS)
