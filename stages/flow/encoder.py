"""RAFT's residual encoder: a picture to features at an eighth of its size.

Teed and Deng, "RAFT: Recurrent All-Pairs Field Transforms for Optical Flow" (ECCV 2020). Both the
tracker and the flow network have two of them, which differ in widths and norm.
"""

from collections.abc import Callable

import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

Norm = Callable[[int], nn.Module]


def instance_norm(channels: int) -> nn.Module:
    """Each channel of each picture to mean 0 and variance 1; no parameters."""
    return nn.InstanceNorm2d(channels)


def no_norm(channels: int) -> nn.Module:
    """Nothing, for any number of channels."""
    return nn.Identity()


class _Residual(nn.Module):
    def __init__(self, inp: int, out: int, stride: int, norm: Norm) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inp, out, 3, stride, padding=1)
        self.conv2 = nn.Conv2d(out, out, 3, padding=1)
        self.norm1, self.norm2 = norm(out), norm(out)
        self.downsample: nn.Module = nn.Identity()
        if stride > 1:
            # Checkpoints hold this norm under both names.
            self.norm3 = norm(out)
            self.downsample = nn.Sequential(nn.Conv2d(inp, out, 1, stride), self.norm3)

    def forward(self, x: Tensor) -> Tensor:
        y = F.relu(self.norm1(self.conv1(x)))
        y = F.relu(self.norm2(self.conv2(y)))
        return F.relu(self.downsample(x) + y)


class Encoder(nn.Module):
    """Normalised pictures to features; sides that are no multiples of 8 are rounded up."""

    def __init__(self, widths: tuple[int, int, int], out: int, norm: Norm) -> None:
        super().__init__()
        first, second, third = widths
        self.conv1 = nn.Conv2d(3, first, 7, 2, padding=3)
        self.norm1 = norm(first)
        self.layer1 = self._pair(first, first, 1, norm)
        self.layer2 = self._pair(first, second, 2, norm)
        self.layer3 = self._pair(second, third, 2, norm)
        self.conv2 = nn.Conv2d(third, out, 1)

    @staticmethod
    def _pair(inp: int, out: int, stride: int, norm: Norm) -> nn.Sequential:
        return nn.Sequential(_Residual(inp, out, stride, norm), _Residual(out, out, 1, norm))

    def forward(self, pictures: Float[Tensor, "n 3 h w"]) -> Float[Tensor, "n c h/8 w/8"]:
        x = F.relu(self.norm1(self.conv1(pictures)))
        return self.conv2(self.layer3(self.layer2(self.layer1(x))))
