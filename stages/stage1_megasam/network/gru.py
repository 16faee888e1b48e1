"""The tracker's recurrent unit: convolutions, and one vector of the whole frame for each gate.

Teed and Deng, "DROID-SLAM" (NeurIPS 2021), section 3.1.
"""

import torch
from jaxtyping import Float
from torch import Tensor, nn


class GlobalConvGru(nn.Module):
    """State and input to the next state."""

    def __init__(self, hidden: int, inp: int) -> None:
        super().__init__()
        self.convz, self.convr, self.convq = (
            nn.Conv2d(hidden + inp, hidden, 3, padding=1) for _ in range(3)
        )
        self.w = nn.Conv2d(hidden, hidden, 1)
        self.convz_glo, self.convr_glo, self.convq_glo = (
            nn.Conv2d(hidden, hidden, 1) for _ in range(3)
        )

    def forward(
        self, state: Float[Tensor, "n d h w"], inp: Float[Tensor, "n e h w"]
    ) -> Float[Tensor, "n d h w"]:
        whole = (self.w(state).sigmoid() * state).mean(dim=(2, 3), keepdim=True)
        both = torch.cat([state, inp], dim=1)
        update = torch.sigmoid(self.convz(both) + self.convz_glo(whole))
        reset = torch.sigmoid(self.convr(both) + self.convr_glo(whole))
        again = torch.cat([reset * state, inp], dim=1)
        new = torch.tanh(self.convq(again) + self.convq_glo(whole))
        return (1 - update) * state + update * new
