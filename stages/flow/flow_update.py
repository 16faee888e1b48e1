"""RAFT's update block: separable recurrent unit, flow head and up-sampling weights.

Teed and Deng, "RAFT: Recurrent All-Pairs Field Transforms for Optical Flow" (ECCV 2020), section
3.3; `hidden` are channels of the recurrent state, of the context and of the motion features.
"""

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from stages.flow.config import CELL_PX

_MASK_SCALE = 0.25
"""Of the up-sampling logits; RAFT balances gradients with it."""


class MotionEncoder(nn.Module):
    """Flow and the correlation that was looked up with it to motion features."""

    def __init__(self, windows: int, hidden: int) -> None:
        super().__init__()
        of_correlation, of_flow = 3 * hidden // 2, hidden // 2
        self.convc1 = nn.Conv2d(windows, 2 * hidden, 1)
        self.convc2 = nn.Conv2d(2 * hidden, of_correlation, 3, padding=1)
        self.convf1 = nn.Conv2d(2, hidden, 7, padding=3)
        self.convf2 = nn.Conv2d(hidden, of_flow, 3, padding=1)
        self.conv = nn.Conv2d(of_flow + of_correlation, hidden - 2, 3, padding=1)

    def forward(
        self, flow: Float[Tensor, "n 2 h w"], correlation: Float[Tensor, "n c h w"]
    ) -> Float[Tensor, "n d h w"]:
        seen = F.relu(self.convc2(F.relu(self.convc1(correlation))))
        moved = F.relu(self.convf2(F.relu(self.convf1(flow))))
        both = F.relu(self.conv(torch.cat([seen, moved], dim=1)))
        return torch.cat([both, flow], dim=1)


class SeparableGru(nn.Module):
    """State and input to the next state: first along rows, then along columns."""

    def __init__(self, inp: int, hidden: int) -> None:
        super().__init__()
        for number, kernel in ((1, (1, 5)), (2, (5, 1))):
            padding = (kernel[0] // 2, kernel[1] // 2)
            for gate in "zrq":
                conv = nn.Conv2d(hidden + inp, hidden, kernel, padding=padding)
                self.add_module(f"conv{gate}{number}", conv)

    def forward(
        self, state: Float[Tensor, "n d h w"], inp: Float[Tensor, "n e h w"]
    ) -> Float[Tensor, "n d h w"]:
        for number in (1, 2):
            convz, convr, convq = (self.get_submodule(f"conv{gate}{number}") for gate in "zrq")
            both = torch.cat([state, inp], dim=1)
            update, reset = convz(both).sigmoid(), convr(both).sigmoid()
            new = convq(torch.cat([reset * state, inp], dim=1)).tanh()
            state = (1 - update) * state + update * new
        return state


class FlowHead(nn.Module):
    """State to a revision of the flow."""

    def __init__(self, hidden: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(hidden, 2 * hidden, 3, padding=1)
        self.conv2 = nn.Conv2d(2 * hidden, 2, 3, padding=1)

    def forward(self, state: Float[Tensor, "n d h w"]) -> Float[Tensor, "n 2 h w"]:
        return self.conv2(F.relu(self.conv1(state)))


class FlowUpdate(nn.Module):
    """One recurrent step."""

    def __init__(self, windows: int, hidden: int) -> None:
        super().__init__()
        self.encoder = MotionEncoder(windows, hidden)
        self.gru = SeparableGru(2 * hidden, hidden)
        self.flow_head = FlowHead(hidden)
        self.mask = nn.Sequential(
            nn.Conv2d(hidden, 2 * hidden, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(2 * hidden, CELL_PX * CELL_PX * 9, 1),
        )

    def forward(
        self,
        state: Float[Tensor, "n d h w"],
        context: Float[Tensor, "n d h w"],
        correlation: Float[Tensor, "n c h w"],
        flow: Float[Tensor, "n 2 h w"],
    ) -> tuple[Float[Tensor, "n d h w"], Float[Tensor, "n 2 h w"]]:
        """The next state and what it adds to the flow, in cells."""
        inp = torch.cat([context, self.encoder(flow, correlation)], dim=1)
        state = self.gru(state, inp)
        return state, self.flow_head(state)

    def upsampling(self, state: Float[Tensor, "n d h w"]) -> Float[Tensor, "n c h w"]:
        """Logits for `convex_upsample`."""
        return _MASK_SCALE * self.mask(state)
