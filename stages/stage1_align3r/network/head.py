"""From the tokens of a decoder to a point and a confidence in every pixel.

Ranftl et al., "Vision Transformers for Dense Prediction" (ICCV 2021), as DUSt3R uses it. Parameter
names are those of the official checkpoint.
"""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from stages.stage1_align3r.network.config import Align3rConfig

_OUTPUTS = 4
"""Three of the point and one of its confidence."""

_TINY = 1e-8


class ResidualUnit(nn.Module):
    """Two convolutions that add to what they read."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, channels, 3, padding=1)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c h w"]:
        return x + self.conv2(F.relu(self.conv1(F.relu(x))))


class Fusion(nn.Module):
    """Adds a finer level to what comes from the coarser ones, and doubles its size.

    The coarsest one, to which nothing is added, has an unused first unit in the official file too.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.resConfUnit1, self.resConfUnit2 = ResidualUnit(channels), ResidualUnit(channels)
        self.out_conv = nn.Conv2d(channels, channels, 1)

    def forward(
        self, coarse: Float[Tensor, "b c h w"], level: Float[Tensor, "b c h w"] | None = None
    ) -> Float[Tensor, "b c 2*h 2*w"]:
        if level is not None:
            high, wide = level.shape[-2:]
            coarse = coarse[..., :high, :wide] + self.resConfUnit1(level)
        return self.out_conv(_doubled(self.resConfUnit2(coarse)))


class Scratch(nn.Module):
    """Levels brought to the same channels, and their fusion."""

    def __init__(self, layers: Sequence[int], channels: int) -> None:
        super().__init__()
        self.layer_rn = nn.ModuleList(
            nn.Conv2d(each, channels, 3, padding=1, bias=False) for each in layers
        )
        self.refinenet1, self.refinenet2, self.refinenet3, self.refinenet4 = (
            Fusion(channels) for _ in layers
        )

    def forward(self, levels: Sequence[Tensor]) -> Float[Tensor, "b c h w"]:
        a, b, c, d = (layer(level) for layer, level in zip(self.layer_rn, levels, strict=True))
        fused = self.refinenet3(self.refinenet4(d), c)
        return self.refinenet1(self.refinenet2(fused, b), a)


class Dpt(nn.Module):
    """Tokens of four depths to dense maps."""

    def __init__(self, config: Align3rConfig) -> None:
        super().__init__()
        a, b, c, d = config.layers
        enc, dec, mid = config.encoder_width, config.decoder_width, config.features
        self.act_postprocess = nn.ModuleList(
            [
                nn.Sequential(nn.Conv2d(enc, a, 1), nn.ConvTranspose2d(a, a, 4, stride=4)),
                nn.Sequential(nn.Conv2d(dec, b, 1), nn.ConvTranspose2d(b, b, 2, stride=2)),
                nn.Sequential(nn.Conv2d(dec, c, 1)),
                nn.Sequential(nn.Conv2d(dec, d, 1), nn.Conv2d(d, d, 3, stride=2, padding=1)),
            ]
        )
        self.scratch = Scratch(config.layers, mid)
        self.head = nn.Sequential(
            nn.Conv2d(mid, mid // 2, 3, padding=1),
            nn.UpsamplingBilinear2d(scale_factor=2),
            nn.Conv2d(mid // 2, config.last, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(config.last, _OUTPUTS, 1),
        )

    def forward(
        self, tokens: Sequence[Float[Tensor, "b t _"]], high: int
    ) -> Float[Tensor, "b 4 16*h 16*w"]:
        maps = (each.transpose(1, 2).unflatten(2, (high, -1)) for each in tokens)
        levels = [layer(x) for layer, x in zip(self.act_postprocess, maps, strict=True)]
        return self.head(self.scratch(levels))


class Head(nn.Module):
    """Points and confidences of one of two pictures."""

    def __init__(self, config: Align3rConfig) -> None:
        super().__init__()
        self.dpt = Dpt(config)

    def forward(
        self, tokens: Sequence[Float[Tensor, "b t _"]], high: int
    ) -> tuple[Float[Tensor, "b 16*h 16*w 3"], Float[Tensor, "b 16*h 16*w"]]:
        out = self.dpt(tokens, high)
        raw = out[:, :3].movedim(1, -1)
        length = torch.linalg.vector_norm(raw, dim=-1, keepdim=True)
        # The distance is exp - 1 of the length, in the direction of the vector.
        points = raw / length.clamp(min=_TINY) * torch.expm1(length)
        return points, 1 + out[:, 3].exp()


def _doubled(x: Tensor) -> Tensor:
    return F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=True)
