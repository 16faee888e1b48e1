"""HRNet's image classification trunk up to its last feature map (Wang et al., TPAMI 2020).

Four resolutions run side by side and exchange features after every module; a head gathers them at
the lowest. Structure and keys as in the MIT-licensed classification release that METRO uses, with
all widths free.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import cast

import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

_EXPANSION = 4


def _conv_bn(inp: int, out: int, kernel: int, stride: int = 1) -> list[nn.Module]:
    conv = nn.Conv2d(inp, out, kernel, stride, padding=kernel // 2, bias=False)
    return [conv, nn.BatchNorm2d(out)]


class _Basic(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv1, self.bn1 = _conv_bn(channels, channels, 3)
        self.conv2, self.bn2 = _conv_bn(channels, channels, 3)

    def forward(self, x: Tensor) -> Tensor:
        y = F.relu(self.bn1(self.conv1(x)))
        return F.relu(x + self.bn2(self.conv2(y)))


class _Bottleneck(nn.Module):
    def __init__(self, inp: int, planes: int) -> None:
        super().__init__()
        out = planes * _EXPANSION
        self.conv1, self.bn1 = _conv_bn(inp, planes, 1)
        self.conv2, self.bn2 = _conv_bn(planes, planes, 3)
        self.conv3, self.bn3 = _conv_bn(planes, out, 1)
        self.downsample = nn.Sequential(*_conv_bn(inp, out, 1)) if inp != out else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        y = F.relu(self.bn1(self.conv1(x)))
        y = F.relu(self.bn2(self.conv2(y)))
        return F.relu(self.downsample(x) + self.bn3(self.conv3(y)))


def _bottlenecks(inp: int, planes: int, count: int) -> nn.Sequential:
    out = planes * _EXPANSION
    return nn.Sequential(*(_Bottleneck(inp if i == 0 else out, planes) for i in range(count)))


def _upward(inp: int, out: int, factor: int) -> nn.Sequential:
    return nn.Sequential(*_conv_bn(inp, out, 1), nn.Upsample(scale_factor=factor, mode="nearest"))


def _downward(inp: int, out: int, halvings: int) -> nn.Sequential:
    steps = [nn.Sequential(*_conv_bn(inp, inp, 3, 2), nn.ReLU()) for _ in range(halvings - 1)]
    return nn.Sequential(*steps, nn.Sequential(*_conv_bn(inp, out, 3, 2)))


class _Module(nn.Module):
    """A few blocks on every resolution, then every resolution receives all the others."""

    def __init__(self, widths: Sequence[int], blocks: int) -> None:
        super().__init__()
        self.branches = nn.ModuleList(
            nn.Sequential(*(_Basic(width) for _ in range(blocks))) for width in widths
        )
        self.fuse_layers = nn.ModuleList(
            nn.ModuleList(self._path(widths, i, j) for j in range(len(widths)))
            for i in range(len(widths))
        )

    @staticmethod
    def _path(widths: Sequence[int], to: int, source: int) -> nn.Module:
        if source == to:
            return nn.Identity()
        if source > to:
            return _upward(widths[source], widths[to], 2 ** (source - to))
        return _downward(widths[source], widths[to], to - source)

    def forward(self, maps: list[Tensor]) -> list[Tensor]:
        maps = [branch(x) for branch, x in zip(self.branches, maps, strict=True)]
        fused = []
        for layer in self.fuse_layers:
            paths = zip(cast(nn.ModuleList, layer), maps, strict=True)
            first, *others = (path(x) for path, x in paths)
            fused.append(F.relu(sum(others, start=first)))
        return fused


def _stage(widths: Sequence[int], blocks: int, count: int) -> nn.Sequential:
    return nn.Sequential(*(_Module(widths, blocks) for _ in range(count)))


class HrNet(nn.Module):
    """Normalised picture -> feature map at 1/32 of its size."""

    def __init__(
        self,
        stem: int,
        stage1: int,
        stage1_blocks: int,
        width: int,
        blocks: int,
        modules: tuple[int, int, int],
        head: int,
        features: int,
    ) -> None:
        super().__init__()
        widths = [width * 2**i for i in range(4)]
        self.conv1, self.bn1 = _conv_bn(3, stem, 3, 2)
        self.conv2, self.bn2 = _conv_bn(stem, stem, 3, 2)
        self.layer1 = _bottlenecks(stem, stage1, stage1_blocks)
        entry = stage1 * _EXPANSION
        self.transition1 = nn.ModuleList(
            [
                nn.Sequential(*_conv_bn(entry, widths[0], 3), nn.ReLU()),
                self._new_branch(entry, widths[1]),
            ]
        )
        self.transition2 = self._transition(widths[:3])
        self.transition3 = self._transition(widths)
        self.stage2 = _stage(widths[:2], blocks, modules[0])
        self.stage3 = _stage(widths[:3], blocks, modules[1])
        self.stage4 = _stage(widths, blocks, modules[2])
        heads = [head * 2**i for i in range(4)]
        self.incre_modules = nn.ModuleList(
            _bottlenecks(w, h, 1) for w, h in zip(widths, heads, strict=True)
        )
        self.downsamp_modules = nn.ModuleList(
            nn.Sequential(
                nn.Conv2d(low * _EXPANSION, high * _EXPANSION, 3, 2, 1),
                nn.BatchNorm2d(high * _EXPANSION),
                nn.ReLU(),
            )
            for low, high in pairwise(heads)
        )
        self.final_layer = nn.Sequential(
            nn.Conv2d(heads[-1] * _EXPANSION, features, 1), nn.BatchNorm2d(features), nn.ReLU()
        )

    @staticmethod
    def _new_branch(inp: int, out: int) -> nn.Sequential:
        return nn.Sequential(nn.Sequential(*_conv_bn(inp, out, 3, 2), nn.ReLU()))

    def _transition(self, widths: Sequence[int]) -> nn.ModuleList:
        kept = [nn.Identity() for _ in widths[:-1]]
        return nn.ModuleList([*kept, self._new_branch(widths[-2], widths[-1])])

    def branches(self, image: Tensor) -> tuple[list[Tensor], list[Tensor], list[Tensor]]:
        """Feature maps of all resolutions, finest first, after stages 2, 3 and 4."""
        x = F.relu(self.bn1(self.conv1(image)))
        x = self.layer1(F.relu(self.bn2(self.conv2(x))))
        stage2 = self.stage2([entry(x) for entry in self.transition1])
        stage3 = self.stage3(self._enter(self.transition2, stage2))
        stage4 = self.stage4(self._enter(self.transition3, stage3))
        return stage2, stage3, stage4

    @staticmethod
    def _enter(transition: nn.ModuleList, maps: list[Tensor]) -> list[Tensor]:
        return [entry(x) for entry, x in zip(transition, [*maps, maps[-1]], strict=True)]

    def forward(self, image: Float[Tensor, "b 3 h w"]) -> Float[Tensor, "b c h/32 w/32"]:
        maps = self.branches(image)[-1]
        y = self.incre_modules[0](maps[0])
        for down, widen, x in zip(
            self.downsamp_modules, self.incre_modules[1:], maps[1:], strict=True
        ):
            y = widen(x) + down(y)
        return self.final_layer(y)
