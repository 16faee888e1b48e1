"""What all edges of one source frame say together: damping, up-sampling weights, what is static.

The first two are DROID-SLAM's (NeurIPS 2021, section 3.1), the last is MegaSaM's (CVPR 2025).
"""

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor, nn

from stages.flow.config import CELL_PX

_DAMPING = 0.01
_NORM_EPSILON = 1e-6


def mean_by_group(
    values: Float[Tensor, "n d h w"], group: Int[Tensor, " n"], groups: int
) -> Float[Tensor, "m d h w"]:
    """The mean of all values of each group 0 to `groups` - 1; none of them may be empty."""
    sums = values.new_zeros(groups, *values.shape[1:]).index_add(0, group, values)
    return sums / torch.bincount(group, minlength=groups)[:, None, None, None]


class FrameHead(nn.Module):
    """States of edges to damping and up-sampling logits of their source frames."""

    def __init__(self, hidden: int) -> None:
        super().__init__()
        self.conv1, self.conv2 = (nn.Conv2d(hidden, hidden, 3, padding=1) for _ in range(2))
        self.eta = nn.Sequential(nn.Conv2d(hidden, 1, 3, padding=1))
        self.upmask = nn.Sequential(nn.Conv2d(hidden, CELL_PX * CELL_PX * 9, 1))

    def forward(
        self, state: Float[Tensor, "n d h w"], group: Int[Tensor, " n"], groups: int
    ) -> tuple[Float[Tensor, "m h w"], Float[Tensor, "m c h w"]]:
        x = mean_by_group(F.relu(self.conv1(state)), group, groups)
        x = F.relu(self.conv2(x))
        return _DAMPING * F.softplus(self.eta(x))[:, 0], self.upmask(x)


class _ChannelNorm(nn.LayerNorm):
    def __init__(self, channels: int) -> None:
        super().__init__(channels, eps=_NORM_EPSILON)

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x.movedim(1, -1)).movedim(-1, 1)


class MotionHead(nn.Module):
    """States and weights of edges to the probability that a cell is part of the static world.

    The checkpoint also holds a head for damping (`conv4`, `norm_4`, `eta`); nobody reads what it
    says, so it is kept for its keys alone.
    """

    def __init__(self, hidden: int) -> None:
        super().__init__()
        self.conv0 = nn.Conv2d(2 * hidden + 2, hidden, 3, padding=1)
        self.conv1, self.conv3, self.conv5 = (
            nn.Conv2d(hidden, hidden, 3, padding=1) for _ in range(3)
        )
        self.norm_0, self.norm_1, self.norm_3, self.norm_5 = (_ChannelNorm(hidden) for _ in "0135")
        self.logits_2 = nn.Sequential(*_two_convolutions(hidden, hidden))
        self.conv4 = nn.Conv2d(hidden + 1, hidden + 1, 3, padding=1)
        self.norm_4 = _ChannelNorm(hidden + 1)
        self.eta = nn.Sequential(*_two_convolutions(hidden + 1, hidden))

    def forward(
        self,
        state: Float[Tensor, "n d h w"],
        weight: Float[Tensor, "n 2 h w"],
        group: Int[Tensor, " n"],
        groups: int,
    ) -> Float[Tensor, "n 1 h w"]:
        whole = state.mean(dim=(2, 3), keepdim=True).expand_as(state)
        x = torch.cat([state, whole, weight], dim=1)
        x = F.gelu(self.norm_0(self.conv0(x)))
        x = F.gelu(self.norm_1(self.conv1(x))) + x
        x = F.gelu(self.norm_3(self.conv3(x))) + x
        shared = F.gelu(self.norm_5(self.conv5(mean_by_group(x, group, groups))))
        return torch.sigmoid(self.logits_2(x + shared[group]))


def _two_convolutions(inp: int, hidden: int) -> list[nn.Module]:
    last = nn.Conv2d(hidden, 1, 3, padding=1)
    return [nn.Conv2d(inp, hidden, 3, padding=1), nn.GELU(), last]
