"""Colours of the place and of people at points that rays have met."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from tools.footage import raycast
from tools.footage.batches import CameraBatch, PeopleBatch, SceneBatch
from tools.footage.clothes import Cuts, clothes_colour, cuts_of
from tools.footage.lighting import ShadowMap, lit_colour, near_feet, shadow_map, sun_reaches
from tools.footage.rasterise import barycentric
from tools.footage.skinning import BodyTensors
from tools.footage.textures import SIZE, Atlas, atlas


@dataclass
class Stage:
    """A batch made ready for shading: everything that is computed once an image."""

    body: BodyTensors
    scene: SceneBatch
    people: PeopleBatch
    cameras: CameraBatch
    faces: Int[Tensor, "PF 3"]
    face_present: Tensor
    corner_px: Float[Tensor, "B PV 2"]
    corner_depth: Float[Tensor, "B PV"]
    normals: Float[Tensor, "B PV 3"]
    focal_px: Float[Tensor, " B"]
    lights: ShadowMap | None
    textures: Atlas
    cuts: Cuts


def make_stage(
    body: BodyTensors, scene: SceneBatch, people: PeopleBatch, cameras: CameraBatch, shadows: bool
) -> Stage:
    """People's faces are laid end to end: face f of person p is p * len(body.faces) + f."""
    count, vertices = people.vertices_m.shape[1:3]
    offsets = torch.arange(count, device=body.faces.device) * vertices
    faces = (body.faces + offsets[:, None, None]).flatten(0, 1)
    face_present = people.present.repeat_interleave(len(body.faces), 1)
    corner_px, corner_depth = cameras.project(people.vertices_m.flatten(1, 2))
    return Stage(
        body=body, scene=scene, people=people, cameras=cameras, faces=faces,
        face_present=face_present, corner_px=corner_px, corner_depth=corner_depth,
        normals=_vertex_normals(people.vertices_m, body.faces).flatten(1, 2),
        focal_px=torch.linalg.det(cameras.K[:, :2, :2]).abs().sqrt(),
        lights=shadow_map(scene, people, faces, face_present) if shadows else None,
        textures=atlas(str(cameras.K.device)), cuts=cuts_of(body),
    )  # fmt: skip


def _vertex_normals(vertices: Tensor, faces: Tensor) -> Tensor:
    """Area-weighted normals, not normalised (B P V 3)."""
    a, b, c = (vertices[:, :, faces[:, i]] for i in range(3))
    face_normals = torch.linalg.cross(b - a, c - a)
    normals = torch.zeros_like(vertices)
    for corner in range(3):
        normals.index_add_(2, faces[:, corner], face_normals)
    return normals


@dataclass
class PlaceColour:
    """Lit colours, and a label that changes where an edge of the place or of a shadow runs."""

    colour: Float[Tensor, "*r 3"]
    label: Int[Tensor, "*r"]


def place_colour(
    stage: Stage,
    rays: Float[Tensor, "*r 3"],
    hits: raycast.SurfaceHits,
    image: Int[Tensor, "*r"],
    detail: float = 1.0,
) -> PlaceColour:
    """Lit colours of floor, boxes and sky where rays of given images hit.

    detail: samples per pixel along a side, which sharpens the texture lookup.
    """
    scene = stage.scene
    points = stage.cameras.T_world_camera[:, :3, 3][image] + rays * hits.depth_m[..., None]
    surfaces = raycast.surface_points(scene, points, hits.surface, image)
    length = rays.norm(dim=-1)
    slant = (surfaces.normal * rays).sum(-1).abs() / length
    footprint = hits.depth_m / (detail * stage.focal_px[image])
    # Between the footprint's short and long side: a sharp look without shimmer far out.
    footprint = footprint / slant.clamp(min=0.05).pow(0.7)
    colour = _material_colour(stage, image, hits.surface, surfaces.uv_m, footprint)
    sun_share = torch.ones_like(footprint)
    if stage.lights is not None:
        grid = None if image.dim() == 2 else image
        sun_share = sun_reaches(stage.lights, points, image)
        sun_share = sun_share * ~raycast.in_box_shadow(scene, points, grid)
    sky_share = near_feet(stage.people, points, image)
    colour = lit_colour(scene, image, colour, surfaces.normal, sun_share, sky_share)
    climb = (rays[..., 2] / length).clamp(0, 1)[..., None]
    sky = torch.lerp(scene.sky_colours[:, 0][image], scene.sky_colours[:, 1][image], climb)
    colour = torch.where((hits.surface == raycast.SKY)[..., None], sky, colour)
    label = (hits.surface * 4 + surfaces.side) * 2 + (sun_share > 0.5)
    return PlaceColour(colour.clamp(0, 1), label)


def _material_colour(stage: Stage, image, surface, uv_m, footprint) -> Tensor:
    materials = stage.scene.materials
    at = (image, (surface - raycast.FLOOR).clamp(min=0))
    u, v = uv_m.unbind(-1)
    values = []
    for octave in range(3):
        repeats = materials.repeats_per_m[..., octave][at]
        turn = materials.turn_rad[..., octave][at]
        cos, sin = turn.cos() * repeats, turn.sin() * repeats
        uv = torch.stack([cos * u + sin * v, cos * v - sin * u], -1)
        uv = uv + materials.shift[:, :, octave][at]
        layer = materials.layers[..., octave][at]
        value = stage.textures.sample(layer, uv, footprint * repeats * SIZE)
        values.append(value * materials.strength[..., octave][at])
    colours = materials.colours
    colour = torch.lerp(colours[:, :, 0][at], colours[:, :, 1][at], values[0][..., None])
    colour = torch.lerp(colour, colours[:, :, 2][at], values[1][..., None])
    middle = 0.5 * materials.strength[..., 2][at]
    return colour * (1 + 1.4 * (values[2] - middle))[..., None]


def people_colour(
    stage: Stage,
    image: Int[Tensor, " M"],
    face: Int[Tensor, " M"],
    at_px: Float[Tensor, "M 2"],
    points_m: Float[Tensor, "M 3"],
    depth_m: Float[Tensor, " M"],
    detail: float = 1.0,
) -> Float[Tensor, "M 3"]:
    """Lit colours of people at pixel positions where given faces are seen."""
    corner = stage.faces[face]
    where = image[:, None]
    weights = barycentric(stage.corner_px[where, corner], stage.corner_depth[where, corner], at_px)
    weights = weights.clamp(0, 1)[..., None]
    own_face = stage.body.faces[face % len(stage.body.faces)]
    rest = (stage.body.v_template[own_face] * weights).sum(1)
    normal = (stage.normals[where, corner] * weights).sum(1)
    normal = torch.nn.functional.normalize(normal, dim=-1)
    person = face // len(stage.body.faces)
    footprint = 1.5 * depth_m / (detail * stage.focal_px[image])
    colour = clothes_colour(
        stage.cuts, stage.textures, stage.people.appearance, image, person, rest, footprint
    )
    sun_share = torch.ones_like(footprint)
    if stage.lights is not None:
        sun_share = sun_reaches(stage.lights, points_m + 0.02 * normal, image)
        sun_share = sun_share * ~raycast.in_box_shadow(stage.scene, points_m, image)
    return lit_colour(stage.scene, image, colour, normal, sun_share).clamp(0, 1)
