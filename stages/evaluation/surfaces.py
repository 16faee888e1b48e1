"""Sampling and comparing meshes."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int
from scipy.spatial import cKDTree

from stages.geometry.rays import RayCaster

Mesh = tuple[Float[np.ndarray, "V 3"], Int[np.ndarray, "F 3"]]
POINTS_A_M2 = 2500


@dataclass(frozen=True)
class Surface:
    """Points on a mesh near a path; distances are to the whole mesh."""

    points: Float[np.ndarray, "N 3"]
    tree: cKDTree

    def share_near(self, points: Float[np.ndarray, "M 3"], close_m: float) -> float:
        """Share of other points within `close_m` of this surface."""
        if len(points) == 0:
            return 0.0
        distance, _ = self.tree.query(points)
        return float((distance <= close_m).mean())


def sampled(mesh: Mesh, path_xy: Float[np.ndarray, "P 2"], near_m: float) -> Surface:
    """Evenly random points on a mesh, those within a horizontal distance of a path apart."""
    vertices, faces = mesh
    corners = vertices[faces]
    area = (
        np.linalg.norm(
            np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1
        )
        / 2
    )
    rng = np.random.default_rng(0)
    chosen = rng.choice(len(faces), int(area.sum() * POINTS_A_M2), p=area / area.sum())
    u, v = rng.random((2, len(chosen)))
    flip = u + v > 1
    u[flip], v[flip] = 1 - u[flip], 1 - v[flip]
    a, b, c = corners[chosen].transpose(1, 0, 2)
    points = a + u[:, None] * (b - a) + v[:, None] * (c - a)
    distance, _ = cKDTree(path_xy).query(points[:, :2])
    return Surface(points[distance <= near_m], cKDTree(points))


def heights(mesh: Mesh, places_xy: Float[np.ndarray, "N 2"]) -> Float[np.ndarray, " N"]:
    """Height of the first surface below the sky; NaN where there is none."""
    top = float(mesh[0][:, 2].max()) + 1.0
    above = np.column_stack([places_xy, np.full(len(places_xy), top)])
    down = np.tile([0.0, 0.0, -1.0], (len(places_xy), 1))
    distance = RayCaster(*mesh).first_hits(above, down).distance
    return np.where(np.isfinite(distance), top - distance, np.nan)
