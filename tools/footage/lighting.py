"""One sun and a sky: shadows of people by a shadow map, soft darkening near their feet, shading."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from stages.body.joint_names import smpl45_row
from tools.footage.batches import PeopleBatch, SceneBatch
from tools.footage.linear import apply
from tools.footage.rasterise import visible_triangles

MAP_SIZE = 224
_BIAS_M = 0.025
_FOOT_JOINTS = [
    smpl45_row(f"{side}_{joint}") for joint in ("ankle", "foot") for side in ("left", "right")
]
_FOOT_REACH_M = 0.14


@dataclass
class ShadowMap:
    """Distances from the sun of the lit side of people, in a map that just holds them.

    R_sun_world: rows right, down, forward (away from the sun). corner_m, texel_m: the map's corner
    and scale in those axes. distance_m: large where nothing is.
    """

    R_sun_world: Float[Tensor, "B 3 3"]
    corner_m: Float[Tensor, "B 3"]
    texel_m: Float[Tensor, " B"]
    distance_m: Float[Tensor, "B s s"]


def sun_axes(sun_direction: Float[Tensor, "B 3"]) -> Float[Tensor, "B 3 3"]:
    forward = -sun_direction / sun_direction.norm(dim=-1, keepdim=True)
    side = torch.zeros_like(forward)
    side[:, 0] = 1.0
    down = torch.linalg.cross(forward, side)
    down = down / down.norm(dim=-1, keepdim=True)
    return torch.stack([torch.linalg.cross(down, forward), down, forward], 1)


def shadow_map(
    scene: SceneBatch, people: PeopleBatch, faces: Int[Tensor, "F 3"], face_present: Tensor
) -> ShadowMap:
    """Map of all present people; faces index the people's vertices laid end to end."""
    R = sun_axes(scene.sun_direction)
    vertices = people.vertices_m.flatten(1, 2) @ R.transpose(1, 2)
    here = people.present.repeat_interleave(people.vertices_m.shape[2], 1)[..., None]
    low = torch.where(here, vertices, torch.inf).amin(1) - 0.05
    high = torch.where(here, vertices, -torch.inf).amax(1) + 0.05
    empty = ~people.present.any(1, keepdim=True)
    low, high = torch.where(empty, 0.0, low), torch.where(empty, 1.0, high)
    texel = (high - low)[:, :2].amax(-1) / MAP_SIZE
    # One metre of slack keeps distances positive, as the rasteriser wants them.
    corner = low - torch.tensor([0.0, 0.0, 1.0], device=low.device)
    relative = vertices - corner[:, None]
    _, distance = visible_triangles(
        relative[..., :2] / texel[:, None, None] - 0.5,
        relative[..., 2],
        faces,
        MAP_SIZE,
        MAP_SIZE,
        face_present,
        perspective=False,
        facing=-torch.ones(len(R), device=R.device),
    )
    return ShadowMap(R, corner, texel, torch.where(distance > 0, distance, 1e6))


def sun_reaches(
    shadows: ShadowMap, points_m: Float[Tensor, "*p 3"], image: Int[Tensor, "*p"]
) -> Float[Tensor, "*p"]:
    """Share of the sun that people let through at points of given images, 0..1 with soft edges.

    Points are a list with an image index each, or (B, R, 3) with all points of image b in row b.
    """
    R = shadows.R_sun_world
    if image.dim() == 2:  # whole images
        at = points_m @ R.transpose(1, 2) - shadows.corner_m[:, None]
    else:
        at = apply(R[image], points_m) - shadows.corner_m[image]
    position = at[..., :2] / shadows.texel_m[image][..., None] - 0.5
    first = position.floor()
    share = (position - first).unbind(-1)
    column, row = first.long().unbind(-1)
    lit = torch.zeros_like(at[..., 0])
    for dy in (0, 1):
        for dx in (0, 1):
            x, y = column + dx, row + dy
            inside = (x >= 0) & (x < MAP_SIZE) & (y >= 0) & (y < MAP_SIZE)
            x, y = x.clamp(0, MAP_SIZE - 1), y.clamp(0, MAP_SIZE - 1)
            free = ~inside | (at[..., 2] < shadows.distance_m[image, y, x] + _BIAS_M)
            weight_x = share[0] if dx else 1 - share[0]
            weight_y = share[1] if dy else 1 - share[1]
            lit = lit + free * weight_x * weight_y
    return lit


def near_feet(
    people: PeopleBatch, points_m: Float[Tensor, "*p 3"], image: Int[Tensor, "*p"]
) -> Float[Tensor, "*p"]:
    """How much sky light remains on the ground close to feet, 1 away from them."""
    feet = people.joints_m[:, :, _FOOT_JOINTS].flatten(1, 2)
    here = people.present.repeat_interleave(len(_FOOT_JOINTS), 1)
    feet = torch.where(here[..., None], feet, 1e3)
    remains = torch.ones_like(points_m[..., 0])
    for n in range(feet.shape[1]):
        distance = (points_m - feet[image, n]).square().sum(-1)
        remains = remains * (1 - 0.45 * torch.exp(-distance / _FOOT_REACH_M**2))
    return remains


def lit_colour(
    scene: SceneBatch,
    image: Int[Tensor, "*p"],
    colour: Float[Tensor, "*p 3"],
    normal: Float[Tensor, "*p 3"],
    sun_share: Float[Tensor, "*p"],
    sky_share: Float[Tensor, "*p"] | float = 1.0,
) -> Float[Tensor, "*p 3"]:
    """Lambert shading with sun and sky; sky light comes mostly from above."""
    towards = (normal * scene.sun_direction[image]).sum(-1).clamp(min=0)
    sky = scene.sky_strength[image] * (0.85 + 0.15 * normal[..., 2]) * sky_share
    sun = scene.sun_strength[image] * towards * sun_share
    return colour * (sky + sun)[..., None] * scene.light_colour[image]
