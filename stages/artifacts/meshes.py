"""`background_mesh.obj` and the two background point clouds (stage 3): z-up world, metres."""

from pathlib import Path
from typing import Any

import numpy as np
import trimesh
from jaxtyping import Float, Int, UInt8

from stages import catalogue
from stages.artifacts import layout
from stages.artifacts.atomic import replacing
from stages.artifacts.errors import ArtifactError, remedy

MESH_FILE = "background_mesh.obj"
LESS_FILTERED_FILE = "background_less_filtered_colored_pointcloud.ply"
MORE_FILTERED_FILE = "background_more_filtered_colored_pointcloud.ply"
MADE_BY = catalogue.makers(layout.CALIBRATED)


def write_mesh(
    path: Path, vertices: Float[np.ndarray, "V 3"], faces: Int[np.ndarray, "F 3"]
) -> None:
    """Writes one triangle mesh without texture."""
    mesh = trimesh.Trimesh(vertices, faces, process=False)
    with replacing(path) as temporary:
        mesh.export(temporary, file_type="obj", include_color=False, digits=5)


def read_mesh(path: Path) -> tuple[Float[np.ndarray, "V 3"], Int[np.ndarray, "F 3"]]:
    """Vertices and triangles, possibly none.

    Raises:
        ArtifactError: missing or not a mesh.
    """
    if not path.exists():
        raise ArtifactError(path, "missing", remedy(MADE_BY))
    try:
        mesh: Any = trimesh.load(path, force="mesh", process=False)
        return (
            np.asarray(mesh.vertices, np.float64).reshape(-1, 3),
            np.asarray(mesh.faces, np.int64).reshape(-1, 3),
        )
    except Exception as error:  # trimesh's loaders raise whatever their parsers raise.
        raise ArtifactError(path, f"not a mesh ({error!r})", remedy(MADE_BY)) from None


def write_cloud(
    path: Path, points: Float[np.ndarray, "N 3"], colours: UInt8[np.ndarray, "N 3"]
) -> None:
    """Writes a coloured point cloud as PLY."""
    opaque = np.full((len(points), 1), 255, np.uint8)
    cloud = trimesh.PointCloud(points, colors=np.hstack([colours, opaque]))
    with replacing(path) as temporary:
        cloud.export(temporary, file_type="ply")


def read_cloud(path: Path) -> tuple[Float[np.ndarray, "N 3"], UInt8[np.ndarray, "N 3"]]:
    """Points and colours of a point cloud."""
    if not path.exists():
        raise ArtifactError(path, "missing", remedy(MADE_BY))
    cloud: Any = trimesh.load(path)
    return np.asarray(cloud.vertices), np.asarray(cloud.colors)[:, :3].astype(np.uint8)
