"""The mesh by NKSR (neural kernel surface reconstruction), where its package is installed."""

import numpy as np

from stages.stage3_postprocess.clouds import Cloud
from stages.stage3_postprocess.holes import filled, heights_from_above
from stages.stage3_postprocess.surface import (
    Mesh,
    largest_component,
    normals_towards_cameras,
    without_outliers,
)

DETAIL_LEVEL = 0.1
"""The original's setting for outdoor and indoor phone videos."""


def nksr_mesh(cloud: Cloud, voxel_m: float) -> Mesh:
    """Meshes a z-up cloud twice: as seen, then with the holes seen from above filled."""
    clean = without_outliers(cloud)
    points, normals = clean.points, normals_towards_cameras(clean)
    first = _reconstructed(points, normals)
    patches = filled(*heights_from_above(largest_component(first), 2 * voxel_m))
    points = np.vstack([points, patches])
    normals = np.vstack([normals, np.tile([0.0, 0.0, 1.0], (len(patches), 1))])
    return largest_component(_reconstructed(points, normals))


def _reconstructed(points: np.ndarray, normals: np.ndarray) -> Mesh:
    import nksr
    import torch

    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    reconstructor = nksr.Reconstructor(device)
    field = reconstructor.reconstruct(
        torch.from_numpy(points).float().to(device),
        normal=torch.from_numpy(normals).float().to(device),
        detail_level=DETAIL_LEVEL,
    )
    mesh = field.extract_dual_mesh(mise_iter=1)
    return mesh.v.cpu().numpy().astype(np.float64), mesh.f.cpu().numpy().astype(np.int64)
