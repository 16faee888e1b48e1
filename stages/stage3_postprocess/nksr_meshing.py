"""The mesh by NKSR (neural kernel surface reconstruction), where its package is installed.

The package would fetch its checkpoint itself, older versions from a host that no longer exists.
Here it is told the file.
"""

from pathlib import Path

import numpy as np
from jaxtyping import Float

from stages.stage3_postprocess.clouds import Cloud
from stages.stage3_postprocess.meshing import completed
from stages.stage3_postprocess.surface import Mesh, largest_component

CHECKPOINT = "nksr"
FILE = "ks.pth"
DETAIL_LEVEL = 0.1
"""The original's setting for outdoor and indoor phone videos."""


def nksr_mesh(
    cloud: Cloud, voxel_m: float, feet: Float[np.ndarray, "F 3"], checkpoint: Path
) -> Mesh:
    """Meshes a z-up cloud, its holes seen from above filled; `feet` as in `place_mesh`."""
    return largest_component(_reconstructed(*completed(cloud, voxel_m, feet), checkpoint))


def config(checkpoint: Path) -> dict[str, str]:
    """The network that the package calls "ks", with its numbers from a file."""
    return {"parent": "ks", "url": str(checkpoint)}


def _reconstructed(points: np.ndarray, normals: np.ndarray, checkpoint: Path) -> Mesh:
    import nksr
    import torch

    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    reconstructor = nksr.Reconstructor(device, config=config(checkpoint))
    field = reconstructor.reconstruct(
        torch.from_numpy(points).float().to(device),
        normal=torch.from_numpy(normals).float().to(device),
        detail_level=DETAIL_LEVEL,
    )
    mesh = field.extract_dual_mesh(mise_iter=1)
    return mesh.v.cpu().numpy().astype(np.float64), mesh.f.cpu().numpy().astype(np.int64)
