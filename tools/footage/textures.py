"""Procedural textures: an atlas of tileable patterns with mip levels, looked up per pixel.

The patterns (speckles, stones, planks, cells, noise, fabrics) are random but fixed: the atlas is
always the same, looks differ by the layers, scales and colours that a material picks. Lookups
choose the mip level by the pixel's footprint, so that fine detail fades instead of flickering.
"""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

SIZE = 256
LEVELS = 9
COARSE_LAYERS = tuple(range(10))  # smooth and blotchy
PATTERN_LAYERS = tuple(range(10, 26))  # stones, planks, cells, speckles
FINE_LAYERS = tuple(range(26, 32))  # grain
CLOTH_LAYERS = tuple(range(32, 44))  # stripes, checks, dots, blotches
LAYERS = 44


@dataclass(frozen=True)
class Atlas:
    """Patterns with values 0..1, mip levels of all layers end to end."""

    values: Float[Tensor, " texels"]
    level_start: Int[Tensor, " levels"]

    def sample(
        self,
        layer: Int[Tensor, "*n"],
        uv: Float[Tensor, "*n 2"],
        texels_per_pixel: Float[Tensor, "*n"],
    ) -> Float[Tensor, "*n"]:
        """Trilinear lookup; uv counts repeats, texels_per_pixel is the footprint at level 0."""
        level = texels_per_pixel.clamp(min=1.0).log2().clamp(max=LEVELS - 1 - 1e-3)
        below = level.floor()
        share = level - below
        below = below.long()
        return torch.lerp(
            self._bilinear(layer, uv, below), self._bilinear(layer, uv, below + 1), share
        )

    def _bilinear(self, layer: Tensor, uv: Tensor, level: Tensor) -> Tensor:
        size = torch.full_like(level, SIZE) >> level
        start = self.level_start[level] + layer * size * size
        position = uv * size[..., None] - 0.5
        corner = position.floor()
        share = position - corner
        mask = size - 1
        x, y = corner[..., 0].long(), corner[..., 1].long()
        x0, x1 = x & mask, (x + 1) & mask
        row0, row1 = start + (y & mask) * size, start + ((y + 1) & mask) * size
        top = torch.lerp(self.values[row0 + x0], self.values[row0 + x1], share[..., 0])
        bottom = torch.lerp(self.values[row1 + x0], self.values[row1 + x1], share[..., 0])
        return torch.lerp(top, bottom, share[..., 1])


@functools.cache
def atlas(device: str = "cpu") -> Atlas:
    """The atlas on a device, made once per process (about a second)."""
    if device != "cpu":
        made = atlas("cpu")
        return Atlas(made.values.to(device), made.level_start.to(device))
    generator = torch.Generator().manual_seed(20)
    layers = [_layer(index, generator) for index in range(LAYERS)]
    image = torch.stack(layers)[:, None]
    parts, starts, count = [], [], 0
    for _ in range(LEVELS):
        parts.append(image.flatten())
        starts.append(count)
        count += image.numel()
        if image.shape[-1] > 1:
            image = torch.nn.functional.avg_pool2d(image, 2)
    return Atlas(torch.cat(parts).contiguous(), torch.tensor(starts))


def _layer(index: int, generator: torch.Generator) -> Float[Tensor, "s s"]:
    if index in COARSE_LAYERS:
        smooth = _noise(generator, slope=1.6 + 0.15 * (index % 4))
        if index % 2:
            return _stretch(0.5 * smooth + 0.5 * _steps(smooth, 4 + index % 5))
        return _stretch(smooth + 0.35 * _speckles(generator, 12 + 4 * (index % 3)))
    if index in PATTERN_LAYERS:
        return _pattern(index - PATTERN_LAYERS[0], generator)
    if index in FINE_LAYERS:
        grain = _noise(generator, slope=0.6)
        return _stretch(grain + 0.6 * _speckles(generator, 24 + 6 * (index % 3)))
    return _cloth(index - CLOTH_LAYERS[0], generator)


def _pattern(kind: int, generator: torch.Generator) -> Float[Tensor, "s s"]:
    noise = _noise(generator, slope=1.0)
    if kind % 4 == 0:  # stones with joints
        value, edge = _cells(generator, 8 + kind)
        return _stretch(value * (0.75 + 0.5 * noise)) * (0.35 + 0.65 * (edge > 0.07))
    if kind % 4 == 1:  # speckles of several sizes
        spots = _speckles(generator, 10) + _speckles(generator, 20) + 0.7 * _speckles(generator, 36)
        return _stretch(spots + 0.6 * noise)
    if kind % 4 == 2:  # planks or tiles: rows of blocks, each of its own shade
        rows, columns = 8 + 2 * (kind // 4), 3 + 2 * (kind // 4)
        return _stretch(_blocks(generator, rows, columns) * (0.7 + 0.6 * noise))
    value, _ = _cells(generator, 20 + kind)  # mosaic
    return _stretch(_steps(value, 5) + 0.3 * noise)


def _cloth(kind: int, generator: torch.Generator) -> Float[Tensor, "s s"]:
    v, u = _grid()
    if kind < 3:  # horizontal, vertical, uneven stripes
        along = u if kind == 1 else v
        waves = (2 * math.pi * 8 * along).sin()
        if kind == 2:
            waves = waves + 0.8 * (2 * math.pi * 3 * along).sin()
        return (waves > 0.2).float()
    if kind < 6:  # checks
        cross = (2 * math.pi * 8 * u).sin().sign() + (2 * math.pi * (4 + 2 * kind) * v).sin().sign()
        return (cross + 2) / 4
    if kind < 9:  # dots and splashes
        return (_speckles(generator, 8 + 4 * (kind - 6)) > 0.4).float()
    if kind < 11:  # patches
        return _steps(_noise(generator, slope=1.5), 4)
    return _noise(generator, slope=0.9)  # washed


def _grid() -> tuple[Tensor, Tensor]:
    axis = (torch.arange(SIZE) + 0.5) / SIZE
    return torch.meshgrid(axis, axis, indexing="ij")  # type: ignore[return-value] # two of two


def _stretch(values: Tensor) -> Tensor:
    """Values spread over 0..1, the 2 % at either end cut."""
    low, high = values.flatten().quantile(torch.tensor([0.02, 0.98]))
    return ((values - low) / (high - low)).clamp(0, 1)


def _steps(values: Tensor, count: int) -> Tensor:
    return (values * count).floor().clamp(0, count - 1) / (count - 1)


def _noise(generator: torch.Generator, slope: float) -> Tensor:
    """Tileable noise whose amplitude falls with frequency to the power of `slope`."""
    white = torch.randn(SIZE, SIZE, generator=generator)
    f = torch.fft.fftfreq(SIZE) * SIZE
    radius = (f[:, None] ** 2 + f[None] ** 2).sqrt().clamp(min=1)
    shaped = torch.fft.ifft2(torch.fft.fft2(white) * radius**-slope).real
    return _stretch(shaped)


def _jittered(generator: torch.Generator, count: int) -> tuple[Tensor, Tensor]:
    """For every texel the offsets to and indices of the points in its 3x3 grid cells."""
    jitter = torch.rand(count, count, 2, generator=generator)
    v, u = _grid()
    cell_v, cell_u = (v * count).floor().long(), (u * count).floor().long()
    offsets, owners = [], []
    for dv in (-1, 0, 1):
        for du in (-1, 0, 1):
            row, column = (cell_v + dv) % count, (cell_u + du) % count
            at = jitter[row, column]
            offsets.append(
                torch.stack([cell_u + du + at[..., 0] - u * count,
                             cell_v + dv + at[..., 1] - v * count], -1)
            )  # fmt: skip
            owners.append(row * count + column)
    return torch.stack(offsets), torch.stack(owners)


def _speckles(generator: torch.Generator, count: int) -> Tensor:
    """Discs of random size and value, at most one a grid cell."""
    offsets, owners = _jittered(generator, count)
    radius = 0.1 + 0.45 * torch.rand(count * count, generator=generator)
    value = torch.rand(count * count, generator=generator)
    value[torch.rand(count * count, generator=generator) < 0.35] = 0
    inside = offsets.norm(dim=-1) < radius[owners]
    return torch.where(inside, value[owners], 0.0).amax(0)


def _cells(generator: torch.Generator, count: int) -> tuple[Tensor, Tensor]:
    """Voronoi cells: a random value a cell, and the distance to the cell's border (cell sizes)."""
    offsets, owners = _jittered(generator, count)
    distance = offsets.norm(dim=-1)
    two, order = distance.topk(2, dim=0, largest=False)
    value = torch.rand(count * count, generator=generator)
    owner = torch.gather(owners, 0, order[:1])[0]
    return value[owner], two[1] - two[0]


def _blocks(generator: torch.Generator, rows: int, columns: int) -> Tensor:
    """Running bond: shifted rows of blocks with dark joints."""
    v, u = _grid()
    row = (v * rows).floor().long()
    shift = torch.rand(rows, generator=generator)
    along = u * columns + shift[row]
    column = along.floor().long() % columns
    shade = 0.3 + 0.7 * torch.rand(rows, columns, generator=generator)
    across = (v * rows) % 1
    joint = (across < 0.08) | ((along % 1) < 0.03)
    return torch.where(joint, 0.1, shade[row, column])
