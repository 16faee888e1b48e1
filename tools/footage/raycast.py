"""Rays against the floor and boxes: what of the place is seen at each pixel, and what is shaded."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from tools.footage.batches import CameraBatch, SceneBatch

FAR_M = 1.0e4
SKY, FLOOR, FIRST_BOX = 0, 1, 2


@dataclass
class SurfaceHits:
    """Nearest surfaces along rays.

    depth_m: multiple of the ray direction, FAR_M for sky. surface: SKY, FLOOR or FIRST_BOX + n.
    """

    depth_m: Float[Tensor, "*r"]
    surface: Int[Tensor, "*r"]


def rays_through(
    cameras: CameraBatch, pixels: Float[Tensor, "B R 2"] | Float[Tensor, "1 R 2"]
) -> Float[Tensor, "B R 3"]:
    """World directions through pixel positions, scaled so that depth along them is z-depth."""
    ones = torch.ones_like(pixels[..., :1])
    to_world = cameras.T_world_camera[:, :3, :3] @ torch.linalg.inv(cameras.K)
    return torch.cat([pixels, ones], -1) @ to_world.transpose(1, 2)


def pixel_grid(height: int, width: int, device: torch.device) -> Float[Tensor, "R 2"]:
    """Pixel centres, row by row."""
    y = torch.arange(height, device=device, dtype=torch.float32)
    x = torch.arange(width, device=device, dtype=torch.float32)
    grid_y, grid_x = torch.meshgrid(y, x, indexing="ij")
    return torch.stack([grid_x, grid_y], -1).flatten(0, 1)


def cast(
    scene: SceneBatch,
    origin_m: Float[Tensor, "B 3"],
    directions: Float[Tensor, "*r 3"],
    image: Int[Tensor, "*r"] | None = None,
) -> SurfaceHits:
    """First surface along each ray, seen from outside (a box around the origin is not seen).

    image: which image each ray belongs to; without it rays are (B, R, 3).
    """
    of = _reader(image)
    dx, dy, dz = directions.unbind(-1)
    start = [of(origin_m[:, axis]) for axis in range(3)]
    down = torch.where(dz < -1e-7, dz, torch.full_like(dz, -1e-7))
    depth = torch.where(dz < -1e-7, -start[2] / down, torch.full_like(dz, FAR_M)).clamp(max=FAR_M)
    surface = torch.where(depth < FAR_M, FLOOR, SKY)
    rows = _box_rows(scene)
    for n in scene.box_present.any(0).nonzero()[:, 0].tolist():
        enter, leave = _box_span(of(rows[:, n]), start, dx, dy, dz)
        hit = (enter < leave) & (enter > 1e-3) & (enter < depth) & of(scene.box_present[:, n])
        depth = torch.where(hit, enter, depth)
        surface = torch.where(hit, FIRST_BOX + n, surface)
    return SurfaceHits(depth, surface)


def _reader(image: Tensor | None):
    """Per-image values for every ray: broadcast over (B, R), or picked by image index."""
    if image is None:
        return lambda values: values[:, None]
    return lambda values: values[image]


def _box_rows(scene: SceneBatch) -> Float[Tensor, "B N 8"]:
    """cos and sin of the turn, centre, half sizes: one row a box, so that one lookup gets all."""
    turn = torch.stack([scene.box_yaw_rad.cos(), scene.box_yaw_rad.sin()], -1)
    return torch.cat([turn, scene.box_centre_m, scene.box_half_m], -1)


def _box_span(row: Float[Tensor, "*r 8"], start, dx, dy, dz):
    """Entry and exit multiples of rays through a box (slab test in the box's axes)."""
    c, s, cx, cy, cz, hx, hy, hz = row.unbind(-1)
    ox, oy, oz = start[0] - cx, start[1] - cy, start[2] - cz
    enter = leave = None
    for at, step, size in (
        (c * ox + s * oy, c * dx + s * dy, hx),
        (c * oy - s * ox, c * dy - s * dx, hy),
        (oz, dz, hz),
    ):
        inverse = 1 / torch.where(step.abs() < 1e-9, torch.full_like(step, 1e-9), step)
        middle, reach = -at * inverse, size * inverse.abs()
        enter = middle - reach if enter is None else torch.maximum(enter, middle - reach)
        leave = middle + reach if leave is None else torch.minimum(leave, middle + reach)
    return enter, leave


def in_box_shadow(
    scene: SceneBatch, points_m: Float[Tensor, "*p 3"], image: Int[Tensor, "*p"] | None = None
) -> Bool[Tensor, "*p"]:
    """Whether a shadow-casting box stands between points and the sun.

    image: which image each point belongs to; without it points are (B, R, 3).
    """

    of = _reader(image)
    towards = [of(scene.sun_direction[:, axis]) for axis in range(3)]
    points = points_m.unbind(-1)
    shadow = torch.zeros(points_m.shape[:-1], dtype=torch.bool, device=points_m.device)
    casting = scene.box_present & scene.box_casts_shadow
    rows = _box_rows(scene)
    for n in casting.any(0).nonzero()[:, 0].tolist():
        enter, leave = _box_span(of(rows[:, n]), points, *towards)
        casts = of(casting[:, n])
        # The margin keeps a lit face of the box from lying in the box's own shadow.
        shadow |= (leave > enter.clamp(min=0) + 2e-3) & (leave > 4e-3) & casts
    return shadow


@dataclass
class SurfacePoints:
    """Where rays meet the place: normal and texture coordinates in metres on the surface.

    side: which of a box's faces it is (0 x, 1 y, 2 z).
    """

    normal: Float[Tensor, "*r 3"]
    uv_m: Float[Tensor, "*r 2"]
    side: Int[Tensor, "*r"]


def surface_points(
    scene: SceneBatch,
    points_m: Float[Tensor, "*r 3"],
    surface: Int[Tensor, "*r"],
    image: Int[Tensor, "*r"],
) -> SurfacePoints:
    """Normals and texture coordinates of hit points of given images; sky counts as floor."""
    box = (surface - FIRST_BOX).clamp(min=0)
    is_box = surface >= FIRST_BOX

    def of_box(values: Tensor) -> Tensor:
        return values[image, box]

    cos, sin = of_box(scene.box_yaw_rad.cos()), of_box(scene.box_yaw_rad.sin())
    ox, oy, oz = (points_m[..., axis] - of_box(scene.box_centre_m[..., axis]) for axis in range(3))
    x, y = cos * ox + sin * oy, cos * oy - sin * ox
    half = [of_box(scene.box_half_m[..., axis]) for axis in range(3)]
    # The face whose plane is nearest, measured inward, is the one that was hit.
    slack = torch.stack([half[0] - x.abs(), half[1] - y.abs(), half[2] - oz.abs()], -1)
    face = slack.argmin(-1)
    on_x, on_y = is_box & (face == 0), is_box & (face == 1)
    sign_x, sign_y = torch.where(x > 0, 1.0, -1.0), torch.where(y > 0, 1.0, -1.0)
    local_x, local_y = torch.where(on_x, sign_x, 0.0), torch.where(on_y, sign_y, 0.0)
    up = torch.where(on_x | on_y, 0.0, torch.where(is_box & (oz < 0), -1.0, 1.0))
    normal = torch.stack([cos * local_x - sin * local_y, sin * local_x + cos * local_y, up], -1)
    u = torch.where(on_x, y * sign_x, torch.where(on_y, -x * sign_y, x))
    v = torch.where(on_x | on_y, oz, y)
    # Faces of one box show different parts of its texture.
    u = u + torch.where(on_x, 3.1 + 2.3 * sign_x, 0.0) + torch.where(on_y, -4.7 + 1.9 * sign_y, 0.0)
    u = torch.where(is_box, u, points_m[..., 0])
    v = torch.where(is_box, v, points_m[..., 1])
    return SurfacePoints(normal, torch.stack([u, v], -1), face)
