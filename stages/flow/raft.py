"""Optical flow between two pictures: RAFT, the large model.

Teed and Deng, "RAFT: Recurrent All-Pairs Field Transforms for Optical Flow" (ECCV 2020).
"""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn

from stages.flow.config import CELL_PX, LEVELS, RaftConfig
from stages.flow.correlation import CorrelationPyramid
from stages.flow.encoder import Encoder, instance_norm
from stages.flow.flow_update import FlowUpdate
from stages.flow.grid import cell_grid
from stages.flow.upsampling import convex_upsample

RADIUS = 4


@dataclass(frozen=True)
class Flow:
    """From the first picture to the second; x and y."""

    pixels: Float[Tensor, "n 2 8*h 8*w"]
    """In pixels."""
    cells: Float[Tensor, "n 2 h w"]
    """In cells of eight pixels, to begin the flow of a neighbouring pair with."""
    state: Float[Tensor, "n d h w"]
    """The recurrent state after the last step."""


class Raft(nn.Module):
    """The whole network; parameter names are those of `raft-things.pth` without `module.`."""

    def __init__(self, config: RaftConfig | None = None) -> None:
        super().__init__()
        c = self.config = config or RaftConfig()
        self.fnet = Encoder(c.encoder, c.features, instance_norm)
        self.cnet = Encoder(c.encoder, 2 * c.hidden, nn.BatchNorm2d)
        self.update_block = FlowUpdate(LEVELS * (2 * RADIUS + 1) ** 2, c.hidden)

    def forward(
        self,
        first: Float[Tensor, "n 3 8*h 8*w"],
        second: Float[Tensor, "n 3 8*h 8*w"],
        iterations: int,
        start: Float[Tensor, "n 2 h w"] | None = None,
    ) -> Flow:
        """Of pictures in RGB, 0 to 255; `start`: flow to begin with, in cells.

        Raises:
            ValueError: there is no iteration, or a side is no multiple of 8, or under 64 pixels.
        """
        if iterations < 1:
            raise ValueError("flow needs one iteration or more")
        if any(side % CELL_PX for side in first.shape[-2:]):
            raise ValueError(f"{tuple(first.shape[-2:])}: a side is no multiple of {CELL_PX}")
        *_, (state, flow) = self.steps(first, second, iterations, start)
        return Flow(self.upsampled(state, flow), flow, state)

    def steps(
        self, first: Tensor, second: Tensor, iterations: int, start: Tensor | None = None
    ) -> Iterator[tuple[Float[Tensor, "n d h w"], Float[Tensor, "n 2 h w"]]]:
        """State and flow in cells after each step."""
        pyramid = self.correlation(first, second)
        state, context = self.cnet(_normal(first)).chunk(2, dim=1)
        state, context = state.tanh(), context.relu()
        grid = cell_grid(state)
        flow = torch.zeros_like(state[:, :2]) if start is None else start
        for _ in range(iterations):
            # Each step learns by itself, as RAFT is trained.
            flow = flow.detach()
            seen = pyramid.look_up(grid + flow.movedim(1, -1))
            state, delta = self.update_block(state, context, seen, flow)
            flow = flow + delta
            yield state, flow

    def upsampled(
        self, state: Float[Tensor, "n d h w"], flow: Float[Tensor, "n 2 h w"]
    ) -> Float[Tensor, "n 2 8*h 8*w"]:
        """Flow of pixels, from that of cells."""
        return convex_upsample(CELL_PX * flow, self.update_block.upsampling(state))

    def correlation(
        self, first: Float[Tensor, "n 3 8*h 8*w"], second: Float[Tensor, "n 3 8*h 8*w"]
    ) -> CorrelationPyramid:
        """All pairs of cells of the two pictures."""
        features = self.fnet(_normal(torch.cat([first, second])))
        here, there = features.chunk(2)
        return CorrelationPyramid.between(here, there, LEVELS, RADIUS)


def _normal(pictures: Tensor) -> Tensor:
    return pictures / 127.5 - 1
