"""The ground under people: rays against a mesh, and a regular height field for the solver."""

from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int
from scipy import ndimage

from stages.geometry.rays import RayCaster

# The grid has one size whatever the place, so that the solver compiles once.
GRID = 512
FINEST_CELL_M = 0.02


class HeightField(NamedTuple):
    """Heights of the ground on a square grid, world z up, metres.

    `heights[i, j]` lies at `origin + cell * (i, j)` in x and y. `known` is 1 where a surface was
    found; elsewhere heights continue the nearest known ones and must not be relied upon.
    """

    heights: Float[Any, "G G"]
    known: Float[Any, "G G"]
    origin: Float[Any, "2"]
    cell: Float[Any, ""]


class Terrain:
    """A triangle mesh to shoot rays at; may be empty."""

    def __init__(self, vertices: Float[np.ndarray, "V 3"], faces: Int[np.ndarray, "F 3"]) -> None:
        self.vertices, self.faces = vertices, faces
        self.empty = len(faces) == 0
        self._rays = RayCaster(vertices, faces)

    def surface_below(self, points: Float[np.ndarray, "N 3"]) -> Float[np.ndarray, " N"]:
        """Height of the first surface straight below each point (m); NaN where there is none."""
        return self._first_hit(points, -1.0)

    def surface_at(
        self, points: Float[np.ndarray, "N 3"], reach_m: float = 0.1
    ) -> Float[np.ndarray, " N"]:
        """Height of the surface that a foot at each point stands on (m); NaN where there is none.

        Looks down from `reach_m` above the point, then, on a miss, up from there: a foot may have
        sunk into the mesh.
        """
        raised = points + np.array([0.0, 0.0, reach_m])
        below = self.surface_below(raised)
        return np.where(np.isnan(below), self._first_hit(raised, 1.0), below)

    def underside_above(self, points: Float[np.ndarray, "N 3"]) -> Bool[np.ndarray, " N"]:
        """Whether the first surface straight above each point faces down."""
        up = np.tile([0.0, 0.0, 1.0], (len(points), 1))
        triangle = self._rays.first_hits(points, up).triangle
        a, b, c = (self.vertices[self.faces[triangle, corner]] for corner in range(3))
        return (triangle >= 0) & (np.cross(b - a, c - a)[:, 2] < 0)

    def _first_hit(self, points: np.ndarray, direction: float) -> np.ndarray:
        directions = np.tile([0.0, 0.0, direction], (len(points), 1))
        distance = self._rays.first_hits(points, directions).distance
        return np.where(np.isfinite(distance), points[:, 2] + direction * distance, np.nan)

    def height_field(
        self,
        low: Float[np.ndarray, "2"],
        high: Float[np.ndarray, "2"],
        ceiling_m: float,
    ) -> HeightField:
        """Heights over a rectangle of x, y, seen from `ceiling_m` downwards.

        Cells measure FINEST_CELL_M, or more where the rectangle is larger than the grid. Without
        any surface, `known` is zero everywhere.
        """
        extent = float(np.max(high - low))
        cell = max(FINEST_CELL_M, extent / (GRID - 1))
        origin = (np.asarray(low) + np.asarray(high) - cell * (GRID - 1)) / 2
        steps = origin[:, None] + cell * np.arange(GRID)
        x, y = np.meshgrid(steps[0], steps[1], indexing="ij")
        inside = (x >= low[0]) & (x <= high[0]) & (y >= low[1]) & (y <= high[1])
        heights = np.full((GRID, GRID), np.nan)
        above = np.stack([x[inside], y[inside], np.full(inside.sum(), ceiling_m)], axis=1)
        heights[inside] = self.surface_below(above)
        nothing = np.zeros((GRID, GRID), np.float32)
        field = HeightField(nothing, nothing, origin.astype(np.float32), np.float32(cell))
        return with_heights(field, heights)


def with_heights(field: HeightField, heights: Float[np.ndarray, "G G"]) -> HeightField:
    """The field with other heights (m); NaN where no surface is."""
    known = np.isfinite(heights)
    return field._replace(
        heights=_continued(heights, known).astype(np.float32), known=known.astype(np.float32)
    )


def _continued(heights: np.ndarray, known: Bool[np.ndarray, "G G"]) -> np.ndarray:
    if not known.any():
        return np.zeros_like(heights)
    nearest = ndimage.distance_transform_edt(~known, return_distances=False, return_indices=True)
    return heights[tuple(nearest)]


def raised_near_edges(field: HeightField, reach_m: float) -> HeightField:
    """The field with every cell as high as the highest known one within `reach_m`.

    A foot that stays above it keeps that distance from risers and walls.
    """
    cells = int(np.ceil(reach_m / float(field.cell)))
    size = 2 * cells + 1
    heights = np.where(np.asarray(field.known) > 0, np.asarray(field.heights), -np.inf)
    highest = ndimage.maximum_filter(heights, size=size)
    raised = np.where(np.isfinite(highest), highest, np.asarray(field.heights))
    return field._replace(heights=raised.astype(np.float32))


def ground_at(
    field: HeightField, xy: Float[Array, "N 2"]
) -> tuple[Float[Array, " N"], Float[Array, " N"]]:
    """Bilinear height at points (m), differentiable, and 1 where all four corners are known."""
    size = field.heights.shape[0]
    place = jnp.clip((xy - field.origin) / field.cell, 0.0, size - 1.001)
    corner = jnp.floor(place).astype(jnp.int32)
    i, j = corner[:, 0], corner[:, 1]
    u, v = place[:, 0] - i, place[:, 1] - j
    h, k = jnp.asarray(field.heights), jnp.asarray(field.known)
    height = (
        h[i, j] * (1 - u) * (1 - v)
        + h[i + 1, j] * u * (1 - v)
        + h[i, j + 1] * (1 - u) * v
        + h[i + 1, j + 1] * u * v
    )
    known = k[i, j] * k[i + 1, j] * k[i, j + 1] * k[i + 1, j + 1]
    return height, known
