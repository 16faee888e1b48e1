"""The renderer: batches of scenes, people and cameras to images, depth and ids, CPU or CUDA."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from tools.footage import raycast
from tools.footage.batches import CameraBatch, PeopleBatch, Rendered, SceneBatch
from tools.footage.clothes import clothes_colour, cuts_of
from tools.footage.lighting import lit_colour, near_feet, shadow_map, sun_reaches
from tools.footage.rasterise import NOTHING, barycentric, visible_triangles
from tools.footage.skinning import BodyTensors
from tools.footage.textures import SIZE, Atlas, atlas

_PIXELS_AT_ONCE = {"cpu": 1_000_000, "cuda": 24_000_000}


@torch.no_grad()
def render(
    body: BodyTensors,
    scene: SceneBatch,
    people: PeopleBatch,
    cameras: CameraBatch,
    height: int,
    width: int,
    supersample: int = 1,
    shadows: bool = True,
) -> Rendered:
    """Images of B scenes with their people through B cameras.

    body: the body that `people` was posed with, on the same device. supersample: s x s colour
    samples a pixel (depth and ids always hold at the pixel's centre). shadows: sun shadows.
    """
    device = cameras.K.device
    pixels = height * width * supersample**2
    step = max(1, _PIXELS_AT_ONCE["cuda" if device.type == "cuda" else "cpu"] // pixels)
    parts = []
    for start in range(0, len(cameras), step):
        piece = slice(start, start + step)
        parts.append(
            _render_piece(body, scene[piece], people[piece], cameras[piece], height, width,
                          supersample, shadows)
        )  # fmt: skip
    return parts[0] if len(parts) == 1 else Rendered.cat(parts)


@dataclass
class _Seen:
    """What rays through a grid of pixels meet."""

    rays: Tensor  # B R 3
    depth: Tensor  # B R, FAR_M for sky
    surface: Tensor  # B R, of raycast, also behind people
    surface_depth: Tensor  # B R
    face: Tensor  # B R, NOTHING where no person is in front


def _render_piece(body, scene, people, cameras, height, width, supersample, shadows) -> Rendered:
    faces, face_present = _faces_of(body, people)
    seen = _look(people, scene, cameras, faces, face_present, height, width, 1)
    fine = seen
    if supersample > 1:
        fine = _look(people, scene, cameras, faces, face_present, height, width, supersample)
    lights = shadow_map(scene, people, faces, face_present) if shadows else None
    textures = atlas(str(cameras.K.device))
    colour = _place_colour(textures, scene, people, cameras, fine, lights, supersample, shadows)
    _paint_people(body, textures, scene, people, cameras, fine, faces, lights, shadows, colour,
                  height, width, supersample)  # fmt: skip
    rgb = colour.view(-1, height, supersample, width, supersample, 3).mean((2, 4))
    shape = (-1, height, width)
    people_here = seen.face != NOTHING
    ids = torch.where(people_here, seen.face // len(body.faces) + 1, 0)
    return Rendered(
        rgb=(rgb * 255 + 0.5).clamp(0, 255).to(torch.uint8),
        depth_m=torch.where(seen.depth < raycast.FAR_M, seen.depth, 0.0).view(shape),
        person_ids=ids.to(torch.int16).view(shape),
        surface_ids=torch.where(people_here, 0, seen.surface).to(torch.int16).view(shape),
    )


def _faces_of(body: BodyTensors, people: PeopleBatch) -> tuple[Tensor, Tensor]:
    """Faces over the vertices of all people laid end to end, and which each image has."""
    count, vertices = people.vertices_m.shape[1:3]
    offsets = torch.arange(count, device=body.faces.device) * vertices
    faces = (body.faces + offsets[:, None, None]).flatten(0, 1)
    return faces, people.present.repeat_interleave(len(body.faces), 1)


def _fine_px(pixels: Tensor, supersample: int) -> Tensor:
    """Pixel positions on the grid of sub-pixels."""
    return (pixels + 0.5) * supersample - 0.5


def _look(people, scene, cameras, faces, face_present, height, width, supersample) -> _Seen:
    rays = raycast.pixel_rays(cameras, height, width, supersample)
    hits = raycast.cast(scene, cameras.T_world_camera[:, :3, 3], rays)
    pixels, depth = cameras.project(people.vertices_m.flatten(1, 2))
    # Outward triangles turn against the pixel axes when they face a camera that does not mirror.
    facing = -torch.linalg.det(cameras.K[:, :2, :2]).sign()
    face, person_depth = visible_triangles(
        _fine_px(pixels, supersample), depth, faces,
        height * supersample, width * supersample, face_present, facing=facing,
    )  # fmt: skip
    face, person_depth = face.flatten(1), person_depth.flatten(1)
    in_front = (face != NOTHING) & (person_depth < hits.depth_m)
    return _Seen(
        rays=rays,
        depth=torch.where(in_front, person_depth, hits.depth_m),
        surface=hits.surface,
        surface_depth=hits.depth_m,
        face=torch.where(in_front, face, NOTHING),
    )


def _focal_px(cameras: CameraBatch, supersample: int) -> Tensor:
    return torch.linalg.det(cameras.K[:, :2, :2]).abs().sqrt() * supersample


def _place_colour(textures, scene, people, cameras, seen, lights, supersample, shadows) -> Tensor:
    """Lit colours of floor, boxes and sky at every ray (B R 3)."""
    origin = cameras.T_world_camera[:, None, :3, 3]
    points = origin + seen.rays * seen.surface_depth[..., None]
    surfaces = raycast.surface_points(scene, points, seen.surface)
    slant = (surfaces.normal * seen.rays).sum(-1).abs() / seen.rays.norm(dim=-1)
    footprint = seen.surface_depth / _focal_px(cameras, supersample)[:, None]
    # Between the footprint's short and long side: a sharp look without shimmer far out.
    footprint = footprint / slant.clamp(min=0.05).pow(0.7)
    image = torch.arange(len(scene), device=points.device)[:, None].expand_as(seen.surface)
    colour = _material_colour(textures, scene, image, seen.surface, surfaces.uv_m, footprint)
    sun_share = torch.ones_like(footprint)
    if shadows:
        sun_share = sun_reaches(lights, points, image)
        sun_share = sun_share * ~raycast.in_box_shadow(scene, points)
    sky_share = near_feet(people, points)
    colour = lit_colour(scene, image, colour, surfaces.normal, sun_share, sky_share)
    height_share = (seen.rays[..., 2:] / seen.rays.norm(dim=-1, keepdim=True)).clamp(0, 1)
    sky = torch.lerp(scene.sky_colours[:, None, 0], scene.sky_colours[:, None, 1], height_share)
    return torch.where((seen.surface == raycast.SKY)[..., None], sky, colour).clamp(0, 1)


def _material_colour(textures: Atlas, scene, image, surface, uv_m, footprint) -> Tensor:
    materials = scene.materials
    at = (image, (surface - raycast.FLOOR).clamp(min=0))
    values = []
    for octave in range(3):
        repeats = materials.repeats_per_m[..., octave][at]
        turn = materials.turn_rad[..., octave][at]
        cos, sin = turn.cos(), turn.sin()
        u, v = uv_m.unbind(-1)
        turned = torch.stack([cos * u + sin * v, cos * v - sin * u], -1)
        uv = turned * repeats[..., None] + materials.shift[:, :, octave][at]
        value = textures.sample(materials.layers[..., octave][at], uv, footprint * repeats * SIZE)
        values.append(value * materials.strength[..., octave][at])
    colours = materials.colours
    colour = torch.lerp(colours[:, :, 0][at], colours[:, :, 1][at], values[0][..., None])
    colour = torch.lerp(colour, colours[:, :, 2][at], values[1][..., None])
    middle = 0.5 * materials.strength[..., 2][at]
    return colour * (1 + 1.4 * (values[2] - middle))[..., None]


def _paint_people(body, textures, scene, people, cameras, seen, faces, lights, shadows, colour,
                  height, width, supersample) -> None:  # fmt: skip
    """Lit colours of people over the place's, in place."""
    image, ray = (seen.face != NOTHING).nonzero(as_tuple=True)
    if len(image) == 0:
        return
    face = seen.face[image, ray]
    person = face // len(body.faces)
    corner = faces[face]
    pixels, depth = cameras.project(people.vertices_m.flatten(1, 2))
    columns = width * supersample
    at = torch.stack([ray % columns, torch.div(ray, columns, rounding_mode="floor")], -1)
    where = image[:, None]
    weights = barycentric(
        _fine_px(pixels[where, corner], supersample), depth[where, corner], at.to(depth.dtype)
    )

    def blend(values: Tensor) -> Tensor:
        return (values * weights[..., None]).sum(1)

    rest = blend(body.v_template[body.faces[face % len(body.faces)]])
    normals = _vertex_normals(people.vertices_m, body.faces).flatten(1, 2)
    normal = torch.nn.functional.normalize(blend(normals[where, corner]), dim=-1)
    hit_depth = seen.depth[image, ray]
    points = cameras.T_world_camera[image, :3, 3] + seen.rays[image, ray] * hit_depth[:, None]
    footprint = hit_depth / _focal_px(cameras, supersample)[image]
    own = clothes_colour(
        cuts_of(body), textures, people.appearance, image, person, rest, 1.5 * footprint
    )
    sun_share = torch.ones_like(footprint)
    if shadows:
        sun_share = sun_reaches(lights, points + 0.02 * normal, image)
        boxes = raycast.in_box_shadow(scene, points, image)
        sun_share = sun_share * ~boxes
    colour[image, ray] = lit_colour(scene, image, own, normal, sun_share).clamp(0, 1)


def _vertex_normals(vertices: Tensor, faces: Tensor) -> Tensor:
    """Area-weighted normals, not normalised (B P V 3)."""
    a, b, c = (vertices[:, :, faces[:, i]] for i in range(3))
    face_normals = torch.linalg.cross(b - a, c - a)
    normals = torch.zeros_like(vertices)
    for corner in range(3):
        normals.index_add_(2, faces[:, corner], face_normals)
    return normals
