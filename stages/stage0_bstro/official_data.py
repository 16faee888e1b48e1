"""The official checkpoint's template: which vertices it starts from, and around which pelvis.

Two data files of the original's code, which users put beside the checkpoint: the mesh sampler
(`mesh_downsampling.npz`, sparse matrices with a single one a row) and the H36M joint regressor,
whose first row is the pelvis.
"""

import io
import tempfile
import zipfile
from pathlib import Path

import numpy as np
import scipy.sparse
from jaxtyping import Float, Float32, Int

from stages.artifacts.errors import ArtifactError
from stages.artifacts.pickles import read_pickle
from stages.body.model import BodyModel
from stages.stage0_bstro.template import coarse_template, rotated_rest_vertices
from stages.weights.errors import WeightsError
from stages.weights.names import BSTRO_DATA
from stages.weights.remedy import remedy

SAMPLER, REGRESSOR = BSTRO_DATA
_FROM_ROOT_M = 0.4
"""No vertex that SMPL's pelvis is made of is further from its root."""


def official_template(folder: Path, body: BodyModel) -> Float32[np.ndarray, "431 3"]:
    """The 431 template vertices, from the data files in `folder` and the user's SMPL body.

    Raises:
        ArtifactError: a file is missing or is something else.
        WeightsError: the body has other vertices than SMPL, for which the network was trained.
    """
    fine, coarse = (selected_columns(matrix) for matrix in _sampling_matrices(folder / SAMPLER))
    pelvis = _pelvis_row(folder / REGRESSOR)
    if not has_smpl_vertices(body, pelvis):
        raise WeightsError(
            "BSTRO's official network wants SMPL's own vertices, this body has others: give"
            " BODY=.../SMPL_NEUTRAL.pkl (`make weights CHECKPOINTS=smpl` says where from)"
        )
    vertices = rotated_rest_vertices(body.v_template, body.joint_template[0])
    return coarse_template(vertices, pelvis @ vertices, fine[coarse])


def has_smpl_vertices(body: BodyModel, pelvis: Float[np.ndarray, " v"]) -> bool:
    """Whether the vertices that the pelvis is a mean of are around the body's root.

    In a body of SMPL's file layout, but of another mesh, vertices of these numbers lie anywhere.
    """
    around = body.v_template[np.flatnonzero(pelvis)]
    distance_m = np.linalg.norm(around - body.joint_template[0], axis=1)
    return bool((distance_m < _FROM_ROOT_M).all())


def selected_columns(matrix: scipy.sparse.spmatrix) -> Int[np.ndarray, " rows"]:
    """The column of the single one in every row."""
    rows = scipy.sparse.csr_matrix(matrix)
    if not (np.diff(rows.indptr) == 1).all() or not (rows.data == 1).all():
        raise ValueError("the sampling matrix does more than select vertices")
    return rows.indices


def _sampling_matrices(path: Path) -> list[scipy.sparse.spmatrix]:
    """The two down-sampling steps; the array of objects is read as data only."""
    try:
        with zipfile.ZipFile(path) as archive:
            stored = io.BytesIO(archive.read("D.npy"))
        version = np.lib.format.read_magic(stored)
        read_header = np.lib.format.read_array_header_1_0
        if version != (1, 0):
            read_header = np.lib.format.read_array_header_2_0
        read_header(stored)
        with tempfile.TemporaryDirectory() as folder:
            plain = Path(folder) / "D.pkl"
            plain.write_bytes(stored.read())
            steps = list(read_pickle(plain))
    except FileNotFoundError:
        raise ArtifactError(path, "missing", remedy(path)) from None
    except (KeyError, ValueError, zipfile.BadZipFile) as error:
        raise ArtifactError(path, f"not a mesh sampler ({error})", remedy(path)) from None
    if len(steps) < 2:
        raise ArtifactError(path, f"holds {len(steps)} steps, two are needed", remedy(path))
    return steps[:2]


def _pelvis_row(path: Path) -> np.ndarray:
    try:
        return np.load(path, allow_pickle=False)[0]
    except FileNotFoundError:
        raise ArtifactError(path, "missing", remedy(path)) from None
    except (ValueError, IndexError, EOFError) as error:
        raise ArtifactError(path, f"not a joint regressor ({error})", remedy(path)) from None
