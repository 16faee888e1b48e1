"""The mesh of the place: surface, holes filled from above, surface again."""

import numpy as np

from stages.stage3_postprocess.clouds import Cloud
from stages.stage3_postprocess.holes import filled, heights_from_above
from stages.stage3_postprocess.surface import (
    Mesh,
    largest_component,
    normals_towards_cameras,
    poisson,
    trimmed,
    without_outliers,
)

REACH_VOXELS = 4.0
MIN_POINTS = 200


def place_mesh(cloud: Cloud, voxel_m: float) -> Mesh:
    """Meshes a z-up cloud, without holes seen from above inside its convex hull.

    Args:
        cloud: one averaged point a voxel.
        voxel_m: the voxels' size.

    Raises:
        ValueError: too few points for a surface.
    """
    if len(cloud.points) < MIN_POINTS:
        raise ValueError(f"only {len(cloud.points)} static points")
    clean = without_outliers(cloud)
    points, normals = clean.points, normals_towards_cameras(clean)
    reach_m = REACH_VOXELS * voxel_m
    first = trimmed(poisson(points, normals, voxel_m), points, reach_m)
    patches = filled(*heights_from_above(largest_component(first), 2 * voxel_m))
    if len(patches) == 0:
        return largest_component(first)
    points = np.vstack([points, patches])
    normals = np.vstack([normals, np.tile([0.0, 0.0, 1.0], (len(patches), 1))])
    second = trimmed(poisson(points, normals, voxel_m), points, reach_m)
    return largest_component(second)
