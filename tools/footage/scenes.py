"""The demo's family of places: floor, walls, a box to jump on or stairs, clutter, looks and light.

A scene follows from its seed and kind. Training uses seeds of 1 000 000 and more, so that nothing
trained ever saw a demo or evaluation scene.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from stages.geometry.block_terrain import Block, Terrain
from tools.footage.batches import Appearance, Materials, SceneBatch
from tools.footage.textures import CLOTH_LAYERS, COARSE_LAYERS, FINE_LAYERS, PATTERN_LAYERS

KINDS = ("jump_box", "stairs", "flat", "two_people", "climb_box")
FIRST_TRAINING_SEED = 1_000_000
MAX_STEPS, MAX_OBJECTS, WALLS = 4, 6, 4
BOXES = MAX_STEPS + MAX_OBJECTS + WALLS
_WALL_HALF_THICKNESS_M = 0.1


@dataclass(frozen=True)
class Scene:
    """A place: terrain to stand on, walls around it, its look as a batch of one image.

    A path starts at terrain.start_xy_m and heads along terrain.heading_rad.
    """

    seed: int
    terrain: Terrain
    walls: tuple[Block, ...]
    batch: SceneBatch


def scene_for_seed(seed: int) -> str:
    """The kind that an evaluation seed stands for: odd seeds jump, even ones climb stairs."""
    return "jump_box" if seed % 2 else "stairs"


def sample_scene(kind: str, seed: int) -> Scene:
    """The scene of a kind and seed. Raises ValueError for an unknown kind."""
    if kind not in KINDS:
        raise ValueError(f"Unknown scene kind {kind!r}; choose one of {', '.join(KINDS)}.")
    rng = np.random.default_rng([seed, KINDS.index(kind)])
    terrain = sample_terrain(kind, rng)
    walls = _walls(rng)
    return Scene(seed, terrain, walls, _batch(rng, terrain, walls))


def sample_terrain(kind: str, rng: np.random.Generator) -> Terrain:
    """Steps on a path along x through the origin, and objects beside it."""
    steps: tuple[Block, ...] = ()
    if kind == "jump_box":
        half = rng.uniform(0.35, 0.5)
        steps = (Block((1.6, 0.0), half, rng.uniform(0.45, 0.65), rng.uniform(0.25, 0.42)),)
    elif kind == "climb_box":
        half = rng.uniform(0.35, 0.5)
        steps = (Block((1.6, 0.0), half, rng.uniform(0.45, 0.65), rng.uniform(0.2, 0.3)),)
    elif kind == "stairs":
        rise, tread = rng.uniform(0.14, 0.19), rng.uniform(0.29, 0.36)
        width = rng.uniform(0.55, 0.8)
        steps = _stairs(3, rise, tread, width)
    objects: list[Block] = []
    for _ in range(rng.integers(3, MAX_OBJECTS + 1)):
        for _ in range(30):
            block = _object(rng)
            if _is_free(block, [*steps, *objects]):
                objects.append(block)
                break
    return Terrain(kind, steps, tuple(objects), start_xy_m=(-0.9, 0.0), heading_rad=0.0)


def _stairs(count: int, rise: float, tread: float, half_width: float) -> tuple[Block, ...]:
    """Steps one behind the other along x; the last has a landing to stand on."""
    blocks = []
    x = 0.9
    for n in range(count):
        depth = tread if n < count - 1 else tread + 0.9
        blocks.append(Block((x + depth / 2, 0.0), depth / 2, half_width, rise * (n + 1)))
        x += depth
    return tuple(blocks)


def _object(rng: np.random.Generator) -> Block:
    side = rng.choice([-1.0, 1.0])
    x, y = rng.uniform(-2.0, 3.5), side * rng.uniform(1.0, 2.6)
    return Block(
        (float(x), float(y)), float(rng.uniform(0.12, 0.4)), float(rng.uniform(0.12, 0.4)),
        float(rng.uniform(0.12, 0.75)), float(rng.uniform(-np.pi, np.pi)),
    )  # fmt: skip


def _is_free(block: Block, others: list[Block]) -> bool:
    """Clear of other blocks and of the path's corridor."""
    reach = float(np.hypot(block.half_length_m, block.half_width_m))
    if abs(block.centre_xy_m[1]) < reach + 0.75:
        return False
    for other in others:
        gap = np.subtract(block.centre_xy_m, other.centre_xy_m)
        if np.hypot(*gap) < reach + np.hypot(other.half_length_m, other.half_width_m) + 0.05:
            return False
    return True


def _walls(rng: np.random.Generator) -> tuple[Block, ...]:
    """A room around the path, its walls 4 to 6.5 m from the middle."""
    walls = []
    for n in range(WALLS):
        distance = rng.uniform(4.2, 6.5)
        angle = n * np.pi / 2
        centre = (1.0 + distance * np.cos(angle), distance * np.sin(angle))
        walls.append(
            Block((float(centre[0]), float(centre[1])), _WALL_HALF_THICKNESS_M, 9.0,
                  float(rng.uniform(2.4, 3.6)), float(angle))
        )  # fmt: skip
    return tuple(walls)


def _batch(rng: np.random.Generator, terrain: Terrain, walls: tuple[Block, ...]) -> SceneBatch:
    slots: list[Block | None] = [*terrain.steps] + [None] * (MAX_STEPS - len(terrain.steps))
    slots += [*terrain.objects] + [None] * (MAX_OBJECTS - len(terrain.objects))
    slots += [*walls] + [None] * (WALLS - len(walls))
    centre, half, yaw = np.zeros((BOXES, 3)), np.ones((BOXES, 3)), np.zeros(BOXES)
    for n, block in enumerate(slots):
        if block is not None:
            centre[n] = [*block.centre_xy_m, (block.top_m + block.bottom_m) / 2]
            half[n] = [block.half_length_m, block.half_width_m, (block.top_m - block.bottom_m) / 2]
            yaw[n] = block.yaw_rad
    present = np.array([block is not None for block in slots])
    casts = present & (np.arange(BOXES) < MAX_STEPS + MAX_OBJECTS)
    generator = torch.Generator().manual_seed(int(rng.integers(2**62)))
    look = sample_looks(1, generator)
    return SceneBatch(
        box_centre_m=_real(centre), box_half_m=_real(half), box_yaw_rad=_real(yaw),
        box_present=torch.as_tensor(present)[None], box_casts_shadow=torch.as_tensor(casts)[None],
        **look,
    )  # fmt: skip


def _real(values: np.ndarray) -> Tensor:
    return torch.as_tensor(values, dtype=torch.float32)[None]


def sample_looks(count: int, generator: torch.Generator) -> dict:
    """Random materials and light for `count` images: SceneBatch fields, on the CPU."""
    surfaces = BOXES + 1

    def between(low: float, high: float, *shape: int) -> Tensor:
        return low + (high - low) * torch.rand(count, *shape, generator=generator)

    elevation, azimuth = between(0.65, 1.25), between(-np.pi, np.pi)
    sun = torch.stack(
        [elevation.cos() * azimuth.cos(), elevation.cos() * azimuth.sin(), elevation.sin()], -1
    )
    blue = torch.tensor([-0.12, 0.0, 0.1]) * between(0, 1, 2, 1)
    sky = between(0.6, 0.85, 2, 1) + blue + 0.03 * torch.randn(count, 2, 3, generator=generator)
    return {
        "materials": _materials(count, surfaces, generator),
        "sun_direction": sun,
        "sun_strength": between(0.4, 0.8),
        "sky_strength": between(0.5, 0.75),
        "light_colour": 1 + 0.05 * torch.randn(count, 3, generator=generator),
        "sky_colours": sky.clamp(0.2, 1),
    }


def _materials(count: int, surfaces: int, generator: torch.Generator) -> Materials:
    shape = (count, surfaces)

    def rand(*more: int) -> Tensor:
        return torch.rand(*shape, *more, generator=generator)

    def layer(choices: tuple[int, ...]) -> Tensor:
        return torch.tensor(choices)[torch.randint(len(choices), shape, generator=generator)]

    # Muted colours around one tone, light against dark, so that patterns have contrast.
    tone = 0.35 + 0.45 * rand(1, 3)
    grey = tone.mean(-1, keepdim=True)
    tone = torch.lerp(grey.expand_as(tone), tone, 0.35 + 0.5 * rand(1, 1))
    extreme = torch.where(rand() < 0.5, 0.15 + 0.25 * rand(), 1.5 + 0.5 * rand())
    shade = torch.stack([0.45 + 0.25 * rand(), 1.1 + 0.35 * rand(), extreme], -1)
    colours = (tone * shade[..., None] + 0.05 * (rand(3, 3) - 0.5)).clamp(0.04, 0.95)
    repeats = torch.stack(
        [1 / (3.7 + 3 * rand()), 1 / (1.3 + 1.2 * rand()), 1 / (0.5 + 0.3 * rand())], -1
    )
    strength = torch.stack([0.6 + 0.4 * rand(), 0.75 + 0.25 * rand(), 0.4 + 0.4 * rand()], -1)
    return Materials(
        colours=colours,
        layers=torch.stack([layer(COARSE_LAYERS), layer(PATTERN_LAYERS), layer(FINE_LAYERS)], -1),
        repeats_per_m=repeats,
        turn_rad=2 * np.pi * rand(3),
        shift=rand(3, 2),
        strength=strength,
    )


def sample_appearance(count: int, people: int, generator: torch.Generator) -> Appearance:
    """Random clothes and colours for `count` images with `people` people, on the CPU."""
    shape = (count, people)

    def rand(*more: int) -> Tensor:
        return torch.rand(*shape, *more, generator=generator)

    def choice(values: tuple[int, ...]) -> Tensor:
        return torch.tensor(values)[torch.randint(len(values), (*shape, 2), generator=generator)]

    skin = torch.tensor([0.88, 0.66, 0.54]) * (0.35 + 0.65 * rand(1)) + 0.04 * (rand(3) - 0.5)
    hair = torch.tensor([0.5, 0.36, 0.24]) * (0.12 + 1.2 * rand(1) ** 2)
    eyes = torch.tensor([0.25, 0.22, 0.2]) * (0.3 + 0.9 * rand(3))
    colours = 0.05 + 0.9 * rand(8, 3)
    colours = torch.lerp(colours.mean(-1, keepdim=True).expand_as(colours), colours, 0.75)
    colours[..., 0, :], colours[..., 1, :], colours[..., 7, :] = skin, hair, eyes
    # Sleeves: short, elbow, long. Trousers: shorts or long.
    sleeve = torch.where(rand() < 0.5, 0.2 + 0.3 * rand(), 0.85 + 0.2 * rand())
    length = torch.where(rand() < 0.3, 0.3 + 0.25 * rand(), 0.85 + 0.15 * rand())
    cut = torch.stack([sleeve, length, 2 * rand() - 1, rand()], -1)
    accent = torch.where(rand(2) < 0.35, 0.12 * rand(2), 0.3 + 0.7 * rand(2))
    return Appearance(
        colours=colours.clamp(0.02, 0.97),
        cut=cut,
        layers=choice(CLOTH_LAYERS),
        repeats_per_m=1.2 + 3.5 * rand(2),
        accent=accent,
    )
