"""How well features of one frame match those around a place in another, at several scales.

All-pairs correlation volumes and their look-up are RAFT's (Teed and Deng, ECCV 2020); the look-up
without a kept volume is the one that DROID-SLAM uses on large graphs.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor

_SCALE = 1 / 16
"""Of the dot products: RAFT divides by the root of its 256 channels, DROID-SLAM by the same."""


@dataclass(frozen=True)
class CorrelationPyramid:
    """Correlation of every cell of one frame with every cell of another, for many pairs.

    The target's side is halved from level to level by averaging; a last odd row is dropped.
    """

    levels: tuple[Float[Tensor, "n h w _h _w"], ...]
    radius: int

    @staticmethod
    def between(
        source: Float[Tensor, "n c h w"],
        target: Float[Tensor, "n c h w"],
        levels: int,
        radius: int,
    ) -> "CorrelationPyramid":
        """Of pairs of feature maps.

        Raises:
            ValueError: the coarsest level would be empty.
        """
        n, _, h, w = source.shape
        if min(target.shape[-2:]) >> (levels - 1) == 0:
            raise ValueError(f"{h}x{w} cells are too few for {levels} levels")
        volume = torch.einsum("nchw,ncij->nhwij", source * _SCALE, target)
        found = [volume]
        for _ in range(levels - 1):
            pooled = F.avg_pool2d(found[-1].flatten(0, 2)[:, None], 2)
            found.append(pooled.view(n, h, w, *pooled.shape[-2:]))
        return CorrelationPyramid(tuple(found), radius)

    def look_up(self, places: Float[Tensor, "n h w 2"]) -> Float[Tensor, "n c h w"]:
        """Correlations in a square window around one place (x, y; cells) a source cell.

        Channels: level, offset in x, offset in y, the last fastest. What lies outside of the
        target is zero.
        """
        windows = [
            _window(volume, places / 2**level, self.radius)
            for level, volume in enumerate(self.levels)
        ]
        return torch.cat(windows, dim=-1).movedim(-1, 1)


def _window(
    volume: Float[Tensor, "n h w i j"], places: Float[Tensor, "n h w 2"], radius: int
) -> Float[Tensor, "n h w c"]:
    """Bilinear samples; all of a window share the fractions, so whole cells are read once."""
    high, wide = volume.shape[-2:]
    # Beyond these a window is all outside, and whole numbers could overflow.
    ends = torch.tensor([wide, high], dtype=places.dtype, device=places.device) + radius
    places = torch.minimum(places.clamp(min=-radius - 1), ends)
    corner = places.floor()
    fx, fy = (places - corner)[..., None, None].unbind(-3)
    offsets = torch.arange(-radius, radius + 2, device=places.device)
    x, y = (corner.long()[..., None] + offsets).unbind(-2)
    inside = ((x >= 0) & (x < wide))[..., :, None] & ((y >= 0) & (y < high))[..., None, :]
    cells = y.clamp(0, high - 1)[..., None, :] * wide + x.clamp(0, wide - 1)[..., :, None]
    read = volume.flatten(-2).gather(-1, cells.flatten(-2)).view(cells.shape) * inside
    in_x = (1 - fx) * read[..., :-1, :] + fx * read[..., 1:, :]
    return ((1 - fy) * in_x[..., :-1] + fy * in_x[..., 1:]).flatten(-2)


def look_up_on_the_fly(
    features: Float[Tensor, "frames c h w"],
    sources: Int[Tensor, " n"],
    targets: Int[Tensor, " n"],
    places: Float[Tensor, "n h w 2"],
    levels: int,
    radius: int,
    pairs_at_once: int = 8,
) -> Float[Tensor, "n d h w"]:
    """As `CorrelationPyramid.look_up`, with the volumes of a few pairs at a time in memory."""
    found = [
        CorrelationPyramid.between(features[i], features[j], levels, radius).look_up(place)
        for i, j, place in zip(
            sources.split(pairs_at_once),
            targets.split(pairs_at_once),
            places.split(pairs_at_once),
            strict=True,
        )
    ]
    return torch.cat(found)
