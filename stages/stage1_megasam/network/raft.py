"""Optical flow between two pictures: RAFT, the large model.

Teed and Deng, "RAFT: Recurrent All-Pairs Field Transforms for Optical Flow" (ECCV 2020). MegaSaM's
refinement of depth follows pixels with it.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn

from stages.stage1_megasam.network.config import CELL_PX, LEVELS
from stages.stage1_megasam.network.correlation import CorrelationPyramid
from stages.stage1_megasam.network.encoder import Encoder, instance_norm
from stages.stage1_megasam.network.flow_update import HIDDEN, FlowUpdate
from stages.stage1_megasam.network.grid import cell_grid
from stages.stage1_megasam.network.upsampling import convex_upsample

RADIUS = 4
_WIDTHS = (64, 96, 128)
_FEATURES = 256


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

    def __init__(self) -> None:
        super().__init__()
        self.fnet = Encoder(_WIDTHS, _FEATURES, instance_norm)
        self.cnet = Encoder(_WIDTHS, 2 * HIDDEN, nn.BatchNorm2d)
        self.update_block = FlowUpdate(LEVELS * (2 * RADIUS + 1) ** 2)

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
        pyramid = self.correlation(first, second)
        state, context = self.cnet(_normal(first)).chunk(2, dim=1)
        state, context = state.tanh(), context.relu()
        grid = cell_grid(state)
        flow = torch.zeros_like(state[:, :2]) if start is None else start
        for _ in range(iterations):
            seen = pyramid.look_up(grid + flow.movedim(1, -1))
            state, delta = self.update_block(state, context, seen, flow)
            flow = flow + delta
        logits = self.update_block.upsampling(state)
        return Flow(convex_upsample(CELL_PX * flow, logits), flow, state)

    def correlation(
        self, first: Float[Tensor, "n 3 8*h 8*w"], second: Float[Tensor, "n 3 8*h 8*w"]
    ) -> CorrelationPyramid:
        """All pairs of cells of the two pictures."""
        features = self.fnet(_normal(torch.cat([first, second])))
        here, there = features.chunk(2)
        return CorrelationPyramid.between(here, there, LEVELS, RADIUS)


def _normal(pictures: Tensor) -> Tensor:
    return pictures / 127.5 - 1
