"""The update operator: from correlation and motion to a revision of the flow along every edge.

Teed and Deng, "DROID-SLAM" (NeurIPS 2021), section 3.1; the weights are damped where things move
by MegaSaM's motion head (CVPR 2025).
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from stages.flow.config import LEVELS
from stages.flow.grid import cell_grid
from stages.stage1_megasam.network.aggregation import FrameHead, MotionHead
from stages.stage1_megasam.network.config import RADIUS
from stages.stage1_megasam.network.gru import GlobalConvGru

_LARGEST_MOTION = 64.0
"""In cells: motion beyond is cut."""


@dataclass(frozen=True)
class EdgeUpdate:
    """What one step says of each edge; flow in cells, x and y."""

    state: Float[Tensor, "n d h w"]
    delta: Float[Tensor, "n h w 2"]
    weight: Float[Tensor, "n h w 2"]
    """Confidence in x and y, 0 to 1, before the motion head."""


@dataclass(frozen=True)
class GraphUpdate:
    """What one step says of each edge and, together, of each source frame."""

    edges: EdgeUpdate
    static: Float[Tensor, "n 1 h w"]
    """Probability that the cell is part of the static world."""
    damping: Float[Tensor, "m h w"]
    """Of the frame's disparities in bundle adjustment."""
    upsampling: Float[Tensor, "m c h w"]
    """Logits for `convex_upsample`."""

    @property
    def weight(self) -> Float[Tensor, "n h w 2"]:
        """Confidence in the flow as that of the static world."""
        return self.edges.weight * self.static.movedim(1, -1)


def motion_features(
    places: Float[Tensor, "n h w 2"],
    targets: Float[Tensor, "n h w 2"],
) -> Float[Tensor, "n 4 h w"]:
    """Flow that geometry induces, and what the last target adds to it; in cells."""
    both = torch.cat([places - cell_grid(places[..., 0]), targets - places], dim=-1)
    return both.clamp(-_LARGEST_MOTION, _LARGEST_MOTION).movedim(-1, 1)


class UpdateOperator(nn.Module):
    """One recurrent step over the edges of a frame graph."""

    def __init__(self, hidden: int) -> None:
        super().__init__()
        windows = LEVELS * (2 * RADIUS + 1) ** 2
        self.corr_encoder = nn.Sequential(
            nn.Conv2d(windows, hidden, 1),
            nn.ReLU(),
            nn.Conv2d(hidden, hidden, 3, padding=1),
            nn.ReLU(),
        )
        self.flow_encoder = nn.Sequential(
            nn.Conv2d(4, hidden, 7, padding=3),
            nn.ReLU(),
            nn.Conv2d(hidden, hidden // 2, 3, padding=1),
            nn.ReLU(),
        )
        self.weight = _two_numbers(hidden)
        self.delta = _two_numbers(hidden)
        self.gru = GlobalConvGru(hidden, 2 * hidden + hidden // 2)
        self.agg = FrameHead(hidden)
        self.agg_motion = MotionHead(hidden)

    def step(
        self,
        state: Float[Tensor, "n d h w"],
        context: Float[Tensor, "n d h w"],
        correlation: Float[Tensor, "n c h w"],
        motion: Float[Tensor, "n 4 h w"],
    ) -> EdgeUpdate:
        """Every edge by itself."""
        seen = [context, self.corr_encoder(correlation), self.flow_encoder(motion)]
        state = self.gru(state, torch.cat(seen, dim=1))
        delta = self.delta(state).movedim(1, -1)
        return EdgeUpdate(state, delta, self.weight(state).sigmoid().movedim(1, -1))

    def forward(
        self,
        state: Float[Tensor, "n d h w"],
        context: Float[Tensor, "n d h w"],
        correlation: Float[Tensor, "n c h w"],
        motion: Float[Tensor, "n 4 h w"],
        group: Int[Tensor, " n"],
        groups: int,
    ) -> GraphUpdate:
        """All edges, those of one source frame together.

        `group` numbers the source frames of the edges from 0 to `groups` - 1 without a gap.
        """
        edges = self.step(state, context, correlation, motion)
        damping, upsampling = self.agg(edges.state, group, groups)
        weight = edges.weight.movedim(-1, 1)
        static = self.agg_motion(edges.state, weight, group, groups)
        return GraphUpdate(edges, static, damping, upsampling)


def _two_numbers(hidden: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(hidden, hidden, 3, padding=1),
        nn.ReLU(),
        nn.Conv2d(hidden, 2, 3, padding=1),
    )
