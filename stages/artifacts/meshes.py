"""`background_mesh.obj` and the two background point clouds (stage 3): z-up world, metres."""

import io
import re
from pathlib import Path
from typing import Any

import numpy as np
import trimesh
from jaxtyping import Float, Int, UInt8

from stages import catalogue
from stages.artifacts import checks, layout
from stages.artifacts.atomic import replacing
from stages.artifacts.errors import remedy
from stages.artifacts.opening import read_bytes, reading

MESH_FILE = "background_mesh.obj"
LESS_FILTERED_FILE = "background_less_filtered_colored_pointcloud.ply"
MORE_FILTERED_FILE = "background_more_filtered_colored_pointcloud.ply"
_ZEROS = (b" 0 ", b" 0\n", b" 0\r", b" 0/", b"\t0")
_VERTEX_0 = re.compile(rb"^f[^\n]*[ \t]0(?:[/\s]|$)", re.MULTILINE)
LARGEST_BYTES = 256 * 1024**2
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
    content = read_bytes(path, remedy(MADE_BY), LARGEST_BYTES)
    with reading(path, "a mesh", remedy(MADE_BY)):
        faces_text = content[max(content.find(b"\nf"), 0) :]
        # Looking for the bytes first takes a tenth of the time.
        may_be = path.suffix == ".obj" and any(each in faces_text for each in _ZEROS)
        if may_be and _VERTEX_0.search(content):
            raise ValueError("a face of vertex 0, expected numbers from 1")
        # Given the content alone, no file that it names is looked for.
        mesh: Any = trimesh.load(
            io.BytesIO(content),
            file_type=path.suffix.removeprefix("."),
            force="mesh",
            process=False,
            skip_materials=True,
        )
        vertices = np.asarray(mesh.vertices, np.float64).reshape(-1, 3)
        faces = np.asarray(mesh.faces, np.int64).reshape(-1, 3)
        checks.positions_m("a vertex", vertices)
        checks.within("the number of a vertex", faces, 0, len(vertices) - 1)
        return vertices, faces


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
    content = read_bytes(path, remedy(MADE_BY), LARGEST_BYTES)
    with reading(path, "a point cloud", remedy(MADE_BY)):
        cloud: Any = trimesh.load(
            io.BytesIO(content), file_type=path.suffix.removeprefix("."), process=False
        )
        points, colours = np.asarray(cloud.vertices), np.asarray(cloud.colors)[:, :3]
        checks.has_shape("colours", colours.shape, points.shape)
        return checks.positions_m("a point", points), colours.astype(np.uint8)
