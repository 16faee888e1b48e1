"""Flow found by the tracker's network."""

import torch
from jaxtyping import Float, Int
from torch import Tensor

from stages.stage1_megasam.network import CorrelationPyramid, DroidNet, FrameFeatures
from stages.stage1_megasam.network.config import LEVELS, RADIUS
from stages.stage1_megasam.network.grid import cell_grid
from stages.stage1_megasam.network.update import motion_features
from stages.stage1_megasam.tracking.matching import EdgeMemory, Revision


class NetworkMatcher:
    """Keeps the features of all frames that it was shown, and a correlation volume an edge.

    An edge's memory: its recurrent state, then the levels of its volume.
    """

    def __init__(self, network: DroidNet) -> None:
        self.network = network
        self._features: dict[int, FrameFeatures] = {}

    @torch.inference_mode()
    def show(self, number: int, picture: Float[Tensor, "3 h w"]) -> None:
        """A frame of the video, RGB, 0 to 255, before it is asked for."""
        self._features[number] = self.network.frame_features(picture[None])

    def forget(self, number: int) -> None:
        """A frame that no edge will begin or end at."""
        del self._features[number]

    @torch.inference_mode()
    def mean_motion(self, source: int, target: int) -> float:
        """One step without a graph, from where nothing moves; cells."""
        here, there = self._features[source], self._features[target]
        volume = CorrelationPyramid.between(here.matching, there.matching, LEVELS, RADIUS)
        still = cell_grid(here.state)[None]
        seen = volume.look_up(still)
        motion = motion_features(still, still)
        found = self.network.update.step(here.state, here.context, seen, motion)
        return float(found.delta.norm(dim=-1).mean())

    @torch.inference_mode()
    def begin(self, sources: Int[Tensor, " n"], targets: Int[Tensor, " n"]) -> EdgeMemory:
        """States as the source frames give them, and volumes of all pairs of cells."""
        volume = CorrelationPyramid.between(
            self._gathered("matching", sources), self._gathered("matching", targets), LEVELS, RADIUS
        )
        return EdgeMemory((self._gathered("state", sources), *volume.levels))

    @torch.inference_mode()
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
        frames, group = sources.unique(return_inverse=True)
        found = self.network.update(
            state,
            self._gathered("context", sources),
            seen,
            motion_features(places, wanted),
            group,
            len(frames),
        )
        revision = Revision(
            places + found.edges.delta, found.weight, found.static[:, 0], found.damping
        )
        return EdgeMemory((found.edges.state, *levels)), revision

    def _gathered(self, name: str, numbers: Tensor) -> Float[Tensor, "n c h w"]:
        return torch.cat([getattr(self._features[i], name) for i in numbers.tolist()])
