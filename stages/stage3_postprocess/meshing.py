"""The mesh of the place: its points, those of its holes, and a surface through them."""

import numpy as np
from jaxtyping import Float

from stages.stage3_postprocess.clouds import Cloud
from stages.stage3_postprocess.holes import filled
from stages.stage3_postprocess.surface import (
    Mesh,
    largest_component,
    normals_towards_cameras,
    poisson,
    trimmed,
    without_outliers,
)

CELL_VOXELS = 2.0
REACH_VOXELS = 4.0
MIN_POINTS = 200


class NoSurfaceError(Exception):
    """There are too few points for a surface."""


def place_mesh(cloud: Cloud, voxel_m: float, feet: Float[np.ndarray, "F 3"]) -> Mesh:
    """Meshes a z-up cloud, without holes seen from above inside its convex hull.

    Args:
        cloud: one averaged point a voxel.
        voxel_m: the voxels' size.
        feet: where people's soles have been: nothing is there that was not seen.

    Raises:
        NoSurfaceError: too few points.
    """
    if len(cloud.points) < MIN_POINTS:
        raise NoSurfaceError(f"only {len(cloud.points)} static points")
    points, normals = completed(cloud, voxel_m, feet)
    return largest_component(
        trimmed(poisson(points, normals, voxel_m), points, REACH_VOXELS * voxel_m)
    )


def completed(
    cloud: Cloud, voxel_m: float, feet: Float[np.ndarray, "F 3"]
) -> tuple[Float[np.ndarray, "N 3"], Float[np.ndarray, "N 3"]]:
    """Points and normals of a cloud: without its outliers, with its holes filled."""
    clean = without_outliers(cloud)
    points, normals = filled(clean.points, CELL_VOXELS * voxel_m, feet)
    seen = normals_towards_cameras(clean)
    return np.vstack([clean.points, points]), np.vstack([seen, normals])
