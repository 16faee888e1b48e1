"""A triangle mesh from an oriented point cloud: screened Poisson, trimmed to where points are."""

import numpy as np
from jaxtyping import Float, Int

from stages.geometry.open3d_library import o3d
from stages.stage3_postprocess.clouds import Cloud

MAX_DEPTH = 10
NORMAL_RADIUS_M = 0.12
NORMAL_NEIGHBOURS = 40

Mesh = tuple[Float[np.ndarray, "V 3"], Int[np.ndarray, "F 3"]]


def normals_towards_cameras(cloud: Cloud) -> Float[np.ndarray, "N 3"]:
    """Normals by local planes (radius 12 cm, 40 neighbours), facing the cameras that saw them."""
    pcd = o3d.geometry.PointCloud(o3d.utility.Vector3dVector(cloud.points))
    pcd.estimate_normals(
        o3d.geometry.KDTreeSearchParamHybrid(radius=NORMAL_RADIUS_M, max_nn=NORMAL_NEIGHBOURS)
    )
    normals = np.asarray(pcd.normals)
    facing = (normals * cloud.towards_camera).sum(1)
    return normals * np.where(facing < 0, -1.0, 1.0)[:, None]


def without_outliers(cloud: Cloud) -> Cloud:
    """The cloud without points that lie far from their 16 neighbours (two deviations)."""
    pcd = o3d.geometry.PointCloud(o3d.utility.Vector3dVector(cloud.points))
    _, kept = pcd.remove_statistical_outlier(nb_neighbors=16, std_ratio=2.0)
    keep = np.asarray(kept, np.int64)
    return Cloud(
        cloud.points[keep], cloud.colours[keep], cloud.towards_camera[keep], cloud.counts[keep]
    )


def poisson(
    points: Float[np.ndarray, "N 3"], normals: Float[np.ndarray, "N 3"], voxel_m: float
) -> Mesh:
    """Screened Poisson (Kazhdan and Hoppe 2013) with cells about as large as a voxel.

    Args:
        voxel_m: spacing of the points.
    """
    pcd = o3d.geometry.PointCloud(o3d.utility.Vector3dVector(points))
    pcd.normals = o3d.utility.Vector3dVector(normals)
    extent_m = float(np.ptp(points, axis=0).max()) * 1.1
    depth = int(np.clip(np.ceil(np.log2(extent_m / voxel_m)), 6, MAX_DEPTH))
    mesh, _ = o3d.geometry.TriangleMesh.create_from_point_cloud_poisson(
        pcd, depth=depth, scale=1.1, linear_fit=True, n_threads=-1
    )
    return np.asarray(mesh.vertices), np.asarray(mesh.triangles).astype(np.int64)


def trimmed(mesh: Mesh, points: Float[np.ndarray, "N 3"], reach_m: float) -> Mesh:
    """The mesh without vertices farther than `reach_m` from every point."""
    vertices, faces = mesh
    tree = o3d.core.nns.NearestNeighborSearch(o3d.core.Tensor(points.astype(np.float32)))
    tree.knn_index()
    _, squared = tree.knn_search(o3d.core.Tensor(vertices.astype(np.float32)), 1)
    near = squared.numpy().ravel() <= reach_m**2
    return _compact(vertices, faces[near[faces].all(1)])


def largest_component(mesh: Mesh) -> Mesh:
    """The connected part with the most triangles."""
    vertices, faces = mesh
    if len(faces) == 0:
        return mesh
    triangles = o3d.geometry.TriangleMesh(
        o3d.utility.Vector3dVector(vertices), o3d.utility.Vector3iVector(faces.astype(np.int32))
    )
    labels, counts, _ = triangles.cluster_connected_triangles()
    return _compact(vertices, faces[np.asarray(labels) == int(np.argmax(counts))])


def _compact(vertices: np.ndarray, faces: np.ndarray) -> Mesh:
    """Drops vertices without triangles."""
    used, renumbered = np.unique(faces, return_inverse=True)
    return vertices[used], renumbered.reshape(-1, 3)
