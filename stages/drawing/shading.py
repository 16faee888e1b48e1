"""Triangle meshes in one colour each, in the light of a sun and of the sky around it."""

from typing import NamedTuple

import cv2
import numpy as np
from jaxtyping import Float, Int, UInt8

from stages.drawing.camera import Camera
from stages.drawing.colours import PAPER, Colour
from stages.geometry.rays import RayCaster

SUPERSAMPLING = 2
SKY_RAYS = 4
"""Of each of a pixel's samples."""
GOLDEN_ANGLE = np.pi * (3 - np.sqrt(5))
SUN, SKY = np.array([0.75, 0.71, 0.65]), np.array([0.42, 0.45, 0.50])
SUN_RIGHT_UP_BACK = np.array([-0.5, 0.65, 0.75])
"""Where the sun stands, seen from the camera: over its left shoulder."""
OFF_SURFACE_M = 2e-3
GAMMA = 2.2


class Shape(NamedTuple):
    """A triangle mesh in one colour (sRGB from 0 to 1)."""

    vertices: Float[np.ndarray, "V 3"]
    faces: Int[np.ndarray, "F 3"]
    colour: Colour


def shaded(
    shapes: list[Shape], camera: Camera, paper: Colour = PAPER
) -> UInt8[np.ndarray, "H W 3"]:
    """A picture of shapes on plain paper."""
    picture, cover = _rendered(shapes, camera)
    return _bytes(picture + (1 - cover) * np.power(paper, GAMMA))


def shaded_over(
    image: UInt8[np.ndarray, "H W 3"], shapes: list[Shape], camera: Camera, opacity: float = 0.7
) -> UInt8[np.ndarray, "H W 3"]:
    """A picture of shapes in front of an image that the same camera took."""
    picture, cover = _rendered(shapes, camera)
    behind = (image / 255.0) ** GAMMA
    return _bytes(opacity * picture + (1 - opacity * cover) * behind)


def _rendered(
    shapes: list[Shape], camera: Camera
) -> tuple[Float[np.ndarray, "H W 3"], Float[np.ndarray, "H W 1"]]:
    """Linear light of each pixel, and how much of the pixel the shapes cover."""
    fine = camera.scaled(SUPERSAMPLING)
    directions = fine.directions()
    vertices, faces, colours = _joined(shapes)
    rays = RayCaster(vertices, faces)
    hits = rays.first_hits(np.broadcast_to(fine.eye, directions.shape), directions)
    seen = np.flatnonzero(hits.triangle >= 0)
    y, x = np.mgrid[: fine.height, : fine.width] % SUPERSAMPLING
    within_pixel = (SUPERSAMPLING * y + x).ravel()
    light = np.zeros((len(directions), 4))
    if len(seen):
        towards = -directions[seen]
        corners = faces[hits.triangle[seen]]
        flat, smooth = _normals(vertices, faces, corners, hits.weights[seen], towards)
        places = fine.eye + hits.distance[seen, None] * directions[seen] + OFF_SURFACE_M * flat
        light[seen, 3] = 1.0
        light[seen, :3] = colours[hits.triangle[seen]] ** GAMMA * (
            _sunlight(rays, places, smooth, camera)[:, None] * SUN
            + _skylight(rays, places, smooth, within_pixel[seen])[:, None] * SKY
        )
    fine_light = light.reshape(fine.height, fine.width, 4)
    size = (camera.width, camera.height)
    pixels = cv2.resize(fine_light, size, interpolation=cv2.INTER_AREA)
    return pixels[..., :3], pixels[..., 3:]


def _joined(shapes: list[Shape]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """All vertices, all triangles, and the triangles' colours."""
    shapes = [*shapes, Shape(np.zeros((0, 3)), np.zeros((0, 3), int), PAPER)]
    first = np.cumsum([0] + [len(shape.vertices) for shape in shapes[:-1]])
    return (
        np.concatenate([shape.vertices for shape in shapes]).astype(np.float64),
        np.concatenate([shape.faces + start for shape, start in zip(shapes, first, strict=True)]),
        np.concatenate([np.tile(shape.colour, (len(shape.faces), 1)) for shape in shapes]),
    )


def _normals(
    vertices: np.ndarray,
    faces: np.ndarray,
    corners: Int[np.ndarray, "N 3"],
    weights: Float[np.ndarray, "N 3"],
    towards: Float[np.ndarray, "N 3"],
) -> tuple[Float[np.ndarray, "N 3"], Float[np.ndarray, "N 3"]]:
    """Unit normals of the triangles and of the rounded surface, on the side that is seen."""
    a, b, c = vertices[faces].transpose(1, 0, 2)
    by_area = np.cross(b - a, c - a)
    at_vertex = np.zeros_like(vertices)
    for corner in faces.T:
        np.add.at(at_vertex, corner, by_area)
    a, b, c = vertices[corners].transpose(1, 0, 2)
    flat = _unit(np.cross(b - a, c - a))
    smooth = _unit(np.einsum("nk,nkd->nd", weights, _unit(at_vertex)[corners]))
    flat *= np.where((flat * towards).sum(1) < 0, -1.0, 1.0)[:, None]
    smooth *= np.where((smooth * flat).sum(1) < 0, -1.0, 1.0)[:, None]
    return flat, smooth


def _sunlight(
    rays: RayCaster, places: np.ndarray, normals: np.ndarray, camera: Camera
) -> Float[np.ndarray, " N"]:
    right, down, forward = camera.T_world_camera[:3, :3].T
    sun = SUN_RIGHT_UP_BACK @ np.stack([right, -down, -forward])
    sun /= np.linalg.norm(sun)
    facing = np.maximum(normals @ sun, 0.0)
    lit = np.flatnonzero(facing > 0)
    dark = rays.hits_anything(places[lit], np.broadcast_to(sun, (len(lit), 3)))
    facing[lit[dark]] = 0.0
    return facing


def _skylight(
    rays: RayCaster,
    places: Float[np.ndarray, "N 3"],
    normals: Float[np.ndarray, "N 3"],
    within_pixel: Int[np.ndarray, " N"],
) -> Float[np.ndarray, " N"]:
    """Share of the half sphere above each place that nothing hides, weighted by the cosine.

    The samples of a pixel look into directions that interleave: Fibonacci's spiral on the disc
    below the half sphere.
    """
    first = _unit(np.cross(normals, np.where(abs(normals[:, :1]) < 0.7, [[1, 0, 0]], [[0, 1, 0]])))
    second = np.cross(normals, first)
    free = np.zeros(len(places))
    samples = SUPERSAMPLING**2
    for ray in range(SKY_RAYS):
        number = samples * ray + within_pixel
        radius = np.sqrt((number + 0.5) / (samples * SKY_RAYS))
        x, y = radius * np.cos(GOLDEN_ANGLE * number), radius * np.sin(GOLDEN_ANGLE * number)
        towards = x[:, None] * first + y[:, None] * second
        towards += np.sqrt(1 - radius**2)[:, None] * normals
        free += ~rays.hits_anything(places, towards)
    return free / SKY_RAYS


def _unit(vectors: Float[np.ndarray, "N 3"]) -> Float[np.ndarray, "N 3"]:
    return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)


def _bytes(light: Float[np.ndarray, "H W 3"]) -> UInt8[np.ndarray, "H W 3"]:
    return (np.clip(light, 0, 1) ** (1 / GAMMA) * 255 + 0.5).astype(np.uint8)
