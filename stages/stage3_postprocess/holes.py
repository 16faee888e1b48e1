"""Heights for places that no camera saw but that lie between places that cameras saw."""

import numpy as np
from jaxtyping import Float
from scipy.spatial import ConvexHull, Delaunay, QhullError, cKDTree

from stages.geometry.open3d_library import o3d
from stages.stage3_postprocess.surface import Mesh

POWER = 1.5
NEIGHBOURS = 64


def heights_from_above(
    mesh: Mesh, spacing_m: float
) -> tuple[Float[np.ndarray, "N 2"], Float[np.ndarray, " N"]]:
    """Height of the first surface below the sky on a grid over the mesh; NaN where there is none.

    Returns:
        The grid's places (x, y) and their heights.
    """
    vertices, faces = mesh
    scene = o3d.t.geometry.RaycastingScene()
    scene.add_triangles(vertices.astype(np.float32), faces.astype(np.uint32))
    low, high = vertices.min(0), vertices.max(0)
    x = np.arange(low[0], high[0] + spacing_m, spacing_m)
    y = np.arange(low[1], high[1] + spacing_m, spacing_m)
    places = np.stack(np.meshgrid(x, y), -1).reshape(-1, 2)
    start_z = high[2] + 1.0
    origins = np.column_stack([places, np.full(len(places), start_z)])
    rays = np.hstack([origins, np.tile([0.0, 0.0, -1.0], (len(places), 1))]).astype(np.float32)
    distance = scene.cast_rays(o3d.core.Tensor(rays))["t_hit"].numpy().astype(np.float64)
    return places, np.where(np.isfinite(distance), start_z - distance, np.nan)


def filled(
    places: Float[np.ndarray, "N 2"], heights: Float[np.ndarray, " N"]
) -> Float[np.ndarray, "M 3"]:
    """Points in the holes inside the convex hull of the hits, by inverse-distance weights.

    Up to 64 nearest hits count, with weights distance^-1.5.
    """
    hit = np.isfinite(heights)
    if hit.sum() < 4 or hit.all():
        return np.zeros((0, 3))
    try:
        hull = Delaunay(places[hit][ConvexHull(places[hit]).vertices])
    except QhullError:
        return np.zeros((0, 3))
    missing = ~hit
    missing[missing] = hull.find_simplex(places[missing]) >= 0
    if not missing.any():
        return np.zeros((0, 3))
    count = min(NEIGHBOURS, int(hit.sum()))
    distance, index = cKDTree(places[hit]).query(places[missing], k=count)
    weight = 1.0 / np.maximum(distance, 1e-6) ** POWER
    z = (weight * heights[hit][index]).sum(1) / weight.sum(1)
    return np.column_stack([places[missing], z])
