"""Frame by frame: which become keyframes, and what is solved when one comes.

Rules and defaults are those of DROID-SLAM's front end as MegaSaM runs it.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from stages.stage1_megasam.graph.distance import FULL_SHARE, distances
from stages.stage1_megasam.graph.edges import neighbourhood
from stages.stage1_megasam.graph.proximity import Proximity, proximity_edges
from stages.stage1_megasam.tracking.frame_graph import FrameGraph
from stages.stage1_megasam.tracking.keyframes import Keyframes
from stages.stage1_megasam.tracking.matching import Matcher

_NEIGHBOURS = 3
_FIRST_STEPS = 10
_FIRST_SUPPRESSION = 2
_FIRST_FULL_SHARE = 0.25
_KEPT_OF_FIRST = 4
"""Of the first keyframes, those whose edges are revised further."""

_OLDEST = 25
_STEPS = 8
_STEPS_FOR_KEYFRAMES = 4
_NEWEST = 5
"""Keyframes that get edges to earlier ones."""


@dataclass(frozen=True)
class FrontEndRules:
    """Lengths of flow are in cells."""

    first_keyframes: int = 8
    """As many begin the track."""
    least_motion: float = 2.0
    """A frame that moves less since the last keyframe is passed over."""
    least_distance: float = 2.0
    """A keyframe nearer than this to the one before it is given up again."""
    window: int = 25
    """Keyframes back to which edges go."""
    full_share: float = FULL_SHARE
    proximity: Proximity = Proximity()


class FrontEnd:
    """Tracks the camera through frames that come in order; results are in `keyframes`."""

    def __init__(
        self, matcher: Matcher, keyframes: Keyframes, rules: FrontEndRules | None = None
    ) -> None:
        self.matcher, self.keyframes = matcher, keyframes
        self.rules = rules or FrontEndRules()
        self.graph = FrameGraph(keyframes, matcher)
        self._begun = False

    def add(self, number: int, prior: Float[Tensor, "h w"], last: bool = False) -> None:
        """The next frame of the video; the last one is a keyframe however little it moves."""
        frames = self.keyframes
        if len(frames) and not last:
            moved = self.matcher.mean_motion(int(frames.numbers[-1]), number)
            if moved <= self.rules.least_motion:
                return
        frames.append(number, prior)
        if self._begun:
            self._advance()
        elif len(frames) > 1 and (last or len(frames) == self.rules.first_keyframes):
            self._begin()

    def _begin(self) -> None:
        graph, count = self.graph, len(self.keyframes)
        graph.add(neighbourhood(0, count, _NEIGHBOURS))
        for _ in range(_FIRST_STEPS):
            graph.step(1, cameras_only=True)
        rule = self.rules.proximity
        first = Proximity(rule.radius, _FIRST_SUPPRESSION, rule.threshold, rule.most)
        self._add_near(0, 0, first, _FIRST_FULL_SHARE, None)
        for cameras_only in (True, False):
            for _ in range(_FIRST_STEPS):
                graph.step(1, cameras_only)
        graph.retire(graph.active.pairs[:, 0] < self.rules.first_keyframes - _KEPT_OF_FIRST)
        self._begun = True

    def _advance(self) -> None:
        graph, count, rule = self.graph, len(self.keyframes), self.rules.proximity
        graph.retire(graph.age > _OLDEST)
        first = max(count - _NEWEST, 0)
        back = max(count - self.rules.window, 0)
        self._add_near(first, back, rule, self.rules.full_share, rule.most)
        for _ in range(_STEPS):
            graph.step()
        if self._distance(count - 3, count - 2) < self.rules.least_distance:
            graph.remove_keyframe(count - 2)
            return
        for _ in range(_STEPS_FOR_KEYFRAMES):
            graph.step()

    def _add_near(
        self, first: int, back: int, rule: Proximity, share: float, most: int | None
    ) -> None:
        count, device = len(self.keyframes), self.keyframes.numbers.device
        sources = torch.arange(first, count, device=device)
        targets = torch.arange(back, count, device=device)
        rows, columns = torch.meshgrid(sources, targets, indexing="ij")
        apart = distances(self.keyframes.scene, rows.flatten(), columns.flatten(), share)
        costs = apart.view(rows.shape).cpu().numpy()
        self.graph.add(proximity_edges(costs, first, back, self.graph.known(), rule), most)

    def _distance(self, i: int, j: int) -> float:
        source, target = self.keyframes.numbers.new_tensor([[i], [j]])
        return float(distances(self.keyframes.scene, source, target, self.rules.full_share))
