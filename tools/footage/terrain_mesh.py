"""The ground truth mesh of a terrain: the surface that can be seen and stepped on."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from jaxtyping import Float, Int
from scipy.spatial import Delaunay

from stages.artifacts.atomic import write_text
from stages.geometry.block_terrain import Block, Terrain

_EDGE_STEP_M = 0.1
_FLOOR_STEP_M = 1.0


def exposed_surface(
    terrain: Terrain,
) -> tuple[Float[np.ndarray, "v 3"], Int[np.ndarray, "f 3"]]:
    """Floor around the blocks, tops, and the free parts of the sides; normals point outward.

    Nothing lies hidden under or inside a block, so that samples of the mesh are all observable.
    """
    vertices, faces = _floor(terrain)
    parts, indices, count = [vertices], [faces], len(vertices)
    for block in terrain.blocks:
        top = block.corners()[4:]
        for quad in [top, *_free_sides(terrain, block)]:
            parts.append(quad)
            indices.append(np.array([[0, 1, 2], [0, 2, 3]]) + count)
            count += 4
    return np.concatenate(parts), np.concatenate(indices).astype(np.int32)


def _free_sides(terrain: Terrain, block: Block) -> list[Float[np.ndarray, "4 3"]]:
    """Side rectangles above whatever stands directly beside each side."""
    corners = block.corners()
    sides = []
    for i in range(4):
        a, b = corners[i], corners[(i + 1) % 4]
        outward = np.array([b[1] - a[1], a[0] - b[0]])
        beside = (a[:2] + b[:2]) / 2 + 0.01 * outward / np.linalg.norm(outward)
        bottom = max(float(terrain.height_at(beside)), block.bottom_m)
        if bottom >= block.top_m - 1e-6:
            continue
        rise = np.array([0, 0, block.top_m - bottom])
        low_a, low_b = np.array([*a[:2], bottom]), np.array([*b[:2], bottom])
        sides.append(np.stack([low_a, low_b, low_b + rise, low_a + rise]))
    return sides


def _floor(terrain: Terrain) -> tuple[np.ndarray, np.ndarray]:
    """Triangles of the floor with the blocks' footprints left out."""
    half = terrain.floor_half_m
    axis = np.arange(-half, half + 1e-9, _FLOOR_STEP_M)
    grid = np.stack(np.meshgrid(axis, axis), -1).reshape(-1, 2) + terrain.floor_centre_xy_m
    outlines = []
    for block in terrain.blocks:
        corners = block.corners()[:4, :2]
        for i in range(4):
            a, b = corners[i], corners[(i + 1) % 4]
            count = max(2, int(np.ceil(np.linalg.norm(b - a) / _EDGE_STEP_M)))
            outlines.append(a + (b - a) * np.arange(count)[:, None] / count)
        # Grid points close to an outline would keep triangles from following it.
        near = np.abs(block.local_xy(grid))
        near_block = (near[:, 0] < block.half_length_m + 0.2) & (
            near[:, 1] < block.half_width_m + 0.2
        )
        grid = grid[~near_block]
    points = np.unique(np.round(np.concatenate([grid, *outlines]), 6), axis=0)
    triangles = Delaunay(points).simplices
    middle = points[triangles].mean(1)
    triangles = triangles[terrain.height_at(middle) == 0]
    a, b, c = (points[triangles[:, i]] for i in range(3))
    turn = (b - a)[:, 0] * (c - a)[:, 1] - (b - a)[:, 1] * (c - a)[:, 0]
    triangles[turn < 0] = triangles[turn < 0][:, ::-1]
    return np.column_stack([points, np.zeros(len(points))]), triangles[turn != 0]


def write_obj(
    path: Path, vertices: Float[np.ndarray, "v 3"], faces: Int[np.ndarray, "f 3"]
) -> None:
    """A Wavefront .obj, metres, z up."""
    lines = ["# metres, z up"]
    lines += [f"v {x:.5f} {y:.5f} {z:.5f}" for x, y, z in vertices]
    lines += [f"f {a} {b} {c}" for a, b, c in np.asarray(faces) + 1]
    write_text(path, "\n".join(lines) + "\n")
