"""The renderer: batches of scenes, people and cameras to images, depth and ids, CPU or CUDA."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from tools.footage import raycast
from tools.footage.batches import CameraBatch, PeopleBatch, Rendered, SceneBatch
from tools.footage.linear import apply
from tools.footage.rasterise import NOTHING, visible_triangles
from tools.footage.shading import Stage, make_stage, people_colour, place_colour
from tools.footage.skinning import BodyTensors

_PIXELS_AT_ONCE = {"cpu": 400_000, "cuda": 24_000_000}
_EDGE_COLOUR_STEP = 0.12


@torch.no_grad()
def render(
    body: BodyTensors,
    scene: SceneBatch,
    people: PeopleBatch,
    cameras: CameraBatch,
    height: int,
    width: int,
    supersample: int = 2,
    shadows: bool = True,
) -> Rendered:
    """Images of B scenes with their people through B cameras.

    body: the body that `people` was posed with, on the same device. supersample: pixels on edges
    get s x s samples (1: no smoothing); elsewhere texture filtering does it. Depth and ids hold at
    the pixel's centre. shadows: sun shadows of people and boxes.
    """
    device = cameras.K.device
    step = _PIXELS_AT_ONCE["cuda" if device.type == "cuda" else "cpu"] // (height * width)
    parts = []
    for start in range(0, len(cameras), max(1, step)):
        piece = slice(start, start + max(1, step))
        stage = make_stage(body, scene[piece], people[piece], cameras[piece], shadows)
        parts.append(_render_piece(stage, height, width, supersample))
    return parts[0] if len(parts) == 1 else Rendered.cat(parts)


@dataclass
class _People:
    """The nearest person's face at every pixel of a grid, and its depth."""

    face: Tensor  # B R, NOTHING where there is none
    depth: Tensor  # B R


def _people_on_grid(stage: Stage, height: int, width: int, supersample: int) -> _People:
    # Outward triangles turn against the pixel axes when they face a camera that does not mirror.
    facing = -torch.linalg.det(stage.cameras.K[:, :2, :2]).sign()
    face, depth = visible_triangles(
        (stage.corner_px + 0.5) * supersample - 0.5, stage.corner_depth, stage.faces,
        height * supersample, width * supersample, stage.face_present, facing=facing,
    )  # fmt: skip
    return _People(face.flatten(1), depth.flatten(1))


def _render_piece(stage: Stage, height: int, width: int, supersample: int) -> Rendered:
    cameras = stage.cameras
    pixels = raycast.pixel_grid(height, width, cameras.K.device)
    rays = raycast.rays_through(cameras, pixels[None])
    hits = raycast.cast(stage.scene, cameras.T_world_camera[:, :3, 3], rays)
    people = _people_on_grid(stage, height, width, 1)
    in_front = (people.face != NOTHING) & (people.depth < hits.depth_m)

    image = torch.arange(len(cameras), device=rays.device)[:, None].expand_as(hits.surface)
    place = place_colour(stage, rays, hits, image)
    colour, label = place.colour, place.label
    seen, ray = in_front.nonzero(as_tuple=True)
    depth = people.depth[seen, ray]
    face = people.face[seen, ray]
    points = cameras.T_world_camera[seen, :3, 3] + rays[seen, ray] * depth[:, None]
    colour[seen, ray] = people_colour(stage, seen, face, pixels[ray], points, depth)
    person_ids = torch.where(in_front, people.face // len(stage.body.faces) + 1, 0)
    if supersample > 1:
        label = torch.where(in_front, -person_ids, label)
        edges = _edges(colour, label, in_front, height, width)
        _smooth(stage, colour, edges, pixels, height, width, supersample)
    shape = (len(cameras), height, width)
    full_depth = torch.where(in_front, people.depth, hits.depth_m)
    return Rendered(
        rgb=(colour * 255 + 0.5).clamp(0, 255).to(torch.uint8).view(*shape, 3),
        depth_m=torch.where(full_depth < raycast.FAR_M, full_depth, 0.0).view(shape),
        person_ids=person_ids.to(torch.int16).view(shape),
        surface_ids=torch.where(in_front, 0, hits.surface).to(torch.int16).view(shape),
    )


def _edges(colour, label, in_front, height: int, width: int) -> Tensor:
    """Pixels beside another surface, shadow or person, or beside another colour on a person."""
    label = label.view(-1, height, width)
    colour = colour.view(-1, height, width, 3)
    person = in_front.view(-1, height, width)
    edge = torch.zeros_like(person)
    for axis, size in ((1, height), (2, width)):
        first, second = (slice(0, size - 1), slice(1, size))
        a = (slice(None),) * axis + (first,)
        b = (slice(None),) * axis + (second,)
        jump = (colour[a] - colour[b]).abs().amax(-1) > _EDGE_COLOUR_STEP
        differs = (label[a] != label[b]) | (jump & person[a])
        edge[a] |= differs
        edge[b] |= differs
    return edge.flatten(1)


def _smooth(stage: Stage, colour, edges, pixels, height: int, width: int, s: int) -> None:
    """Replace the colours of edge pixels by the mean of s x s samples, in place."""
    image, ray = edges.nonzero(as_tuple=True)
    people = _people_on_grid(stage, height, width, s)
    row, column = torch.div(ray, width, rounding_mode="floor"), ray % width
    total = torch.zeros(len(ray), 3, device=colour.device)
    K_inverse = torch.linalg.inv(stage.cameras.K)
    to_world = stage.cameras.T_world_camera[:, :3, :3] @ K_inverse
    centre = stage.cameras.T_world_camera[:, :3, 3]
    for part in range(s * s):
        i, j = divmod(part, s)
        offset = pixels.new_tensor([(j + 0.5) / s - 0.5, (i + 0.5) / s - 0.5])
        at = pixels[ray] + offset
        homogeneous = torch.cat([at, torch.ones_like(at[:, :1])], -1)
        rays = apply(to_world[image], homogeneous)
        hits = raycast.cast(stage.scene, centre, rays, image)
        sample = place_colour(stage, rays, hits, image, detail=s).colour
        fine = (row * s + i) * (width * s) + column * s + j
        face, depth = people.face[image, fine], people.depth[image, fine]
        front = ((face != NOTHING) & (depth < hits.depth_m)).nonzero()[:, 0]
        points = centre[image[front]] + rays[front] * depth[front, None]
        sample[front] = people_colour(
            stage, image[front], face[front], at[front], points, depth[front], detail=s
        )
        total += sample
    colour[image, ray] = total / (s * s)
