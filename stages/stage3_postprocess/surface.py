"""A triangle mesh from an oriented point cloud: screened Poisson, trimmed to where points are."""

import tempfile
from pathlib import Path

import numpy as np
import pycolmap
import trimesh
from jaxtyping import Bool, Float, Int
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from stages.stage3_postprocess.clouds import Cloud

MAX_DEPTH = 10
NORMAL_RADIUS_M = 0.12
NORMAL_NEIGHBOURS = 40
OUTLIER_NEIGHBOURS = 16
OUTLIER_DEVIATIONS = 2.0

Mesh = tuple[Float[np.ndarray, "V 3"], Int[np.ndarray, "F 3"]]


def normals_towards_cameras(cloud: Cloud) -> Float[np.ndarray, "N 3"]:
    """Normals by local planes (radius 12 cm, 40 neighbours), facing the cameras that saw them.

    A point with fewer than three neighbours, itself included, gets the direction to its cameras.
    """
    points = cloud.points
    _, index = cKDTree(points).query(
        points, min(NORMAL_NEIGHBOURS, len(points)), distance_upper_bound=NORMAL_RADIUS_M
    )
    found = index < len(points)  # the tree pads with an index past the end
    count = found.sum(1)
    own = np.arange(len(points))[:, None]
    offsets = points[np.where(found, index, own)] - points[:, None]
    total = offsets.sum(1)
    scatter = offsets.transpose(0, 2, 1) @ offsets
    scatter -= total[:, :, None] * total[:, None] / count[:, None, None]
    _, axes = np.linalg.eigh(scatter)
    normals = np.where((count < 3)[:, None], cloud.towards_camera, axes[..., 0])
    facing = (normals * cloud.towards_camera).sum(1)
    return normals * np.where(facing < 0, -1.0, 1.0)[:, None]


def without_outliers(cloud: Cloud) -> Cloud:
    """The cloud without points that lie far from their 16 neighbours (two deviations)."""
    keep = _near_others(cloud.points)
    return Cloud(
        cloud.points[keep], cloud.colours[keep], cloud.towards_camera[keep], cloud.counts[keep]
    )


def _near_others(points: Float[np.ndarray, "N 3"]) -> Bool[np.ndarray, " N"]:
    """Whether the mean distance to the neighbours, the point itself among them, is usual."""
    distance, _ = cKDTree(points).query(points, min(OUTLIER_NEIGHBOURS, len(points)))
    mean = distance.mean(1)
    return mean <= mean.mean() + OUTLIER_DEVIATIONS * mean.std(ddof=1)


def poisson(
    points: Float[np.ndarray, "N 3"], normals: Float[np.ndarray, "N 3"], voxel_m: float
) -> Mesh:
    """Screened Poisson (Kazhdan and Hoppe 2013) with cells about as large as a voxel.

    Args:
        voxel_m: spacing of the points.
    """
    extent_m = float(np.ptp(points, axis=0).max()) * 1.1
    depth = int(np.clip(np.ceil(np.log2(extent_m / voxel_m)), 6, MAX_DEPTH))
    # One thread: with more, vertices differ from run to run.
    options = pycolmap.PoissonMeshingOptions(depth=depth, trim=0.0, color=False, num_threads=1)
    with tempfile.TemporaryDirectory() as folder:
        cloud, surface = Path(folder) / "cloud.ply", Path(folder) / "surface.ply"
        _write_oriented(cloud, points, normals)
        pycolmap.poisson_meshing(cloud, surface, options)
        if not surface.exists() or surface.stat().st_size == 0:
            raise OSError("the surface could not be computed: is /tmp writable, and not full?")
        mesh = trimesh.load_mesh(surface, process=False)
    return np.asarray(mesh.vertices, np.float64), np.asarray(mesh.faces, np.int64)


def _write_oriented(
    path: Path, points: Float[np.ndarray, "N 3"], normals: Float[np.ndarray, "N 3"]
) -> None:
    """A binary PLY of points with normals."""
    properties = "".join(f"property float {name}\n" for name in ("x", "y", "z", "nx", "ny", "nz"))
    header = f"ply\nformat binary_little_endian 1.0\nelement vertex {len(points)}\n{properties}"
    rows = np.hstack([points, normals]).astype("<f4")
    path.write_bytes(f"{header}end_header\n".encode() + rows.tobytes())


def trimmed(mesh: Mesh, points: Float[np.ndarray, "N 3"], reach_m: float) -> Mesh:
    """The mesh without vertices farther than `reach_m` from every point."""
    vertices, faces = mesh
    distance, _ = cKDTree(points).query(vertices, distance_upper_bound=reach_m)
    return _compact(vertices, faces[np.isfinite(distance)[faces].all(1)])


def largest_component(mesh: Mesh) -> Mesh:
    """The part with the most triangles of those that edges connect."""
    vertices, faces = mesh
    if len(faces) == 0:
        return mesh
    ends = np.sort(faces[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2), axis=1)
    _, edge = np.unique(ends[:, 0] * len(vertices) + ends[:, 1], return_inverse=True)
    triangle = np.repeat(np.arange(len(faces)), 3)
    # Triangles and edges are the nodes of one graph: each triangle is tied to its three edges.
    size = len(faces) + edge.max() + 1
    ties = coo_array((np.ones(len(edge)), (triangle, len(faces) + edge)), (size, size))
    labels = connected_components(ties, directed=False)[1][: len(faces)]
    return _compact(vertices, faces[labels == np.bincount(labels).argmax()])


def _compact(vertices: np.ndarray, faces: np.ndarray) -> Mesh:
    """Drops vertices without triangles."""
    used, renumbered = np.unique(faces, return_inverse=True)
    return vertices[used], renumbered.reshape(-1, 3)
