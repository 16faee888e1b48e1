"""The official checkpoint's template: which vertices it starts from, and around which pelvis.

Two data files of the original's code, which users put beside the checkpoint: the mesh sampler
(`mesh_downsampling.npz`, sparse matrices with a single one a row) and the H36M joint regressor,
whose first row is the pelvis.
"""

import io
import zipfile
from pathlib import Path

import numpy as np
import scipy.sparse
from jaxtyping import Float, Float32, Int

from stages.artifacts import checks
from stages.artifacts.npz_files import read_header, read_npy
from stages.artifacts.opening import read_bytes, reading
from stages.artifacts.pickles import parse_pickle
from stages.body.model import VERTEX_COUNT, BodyModel
from stages.stage0_bstro.template import coarse_template, rotated_rest_vertices
from stages.weights.errors import WeightsError
from stages.weights.names import BSTRO_DATA
from stages.weights.remedy import remedy

SAMPLER, REGRESSOR = BSTRO_DATA
_LARGEST_BYTES = 64 * 1024**2
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
    content = read_bytes(path, remedy(path), _LARGEST_BYTES)
    with (
        reading(path, "a mesh sampler", remedy(path)),
        zipfile.ZipFile(io.BytesIO(content)) as archive,
        archive.open("D.npy") as stored,
    ):
        read_header(stored)
        steps = parse_pickle(stored.read(_LARGEST_BYTES), path)
        if not isinstance(steps, list) or len(steps) < 2:
            raise ValueError("it does not hold two steps")
        if not all(scipy.sparse.issparse(step) for step in steps[:2]):
            raise ValueError("its steps are no matrices")
    return steps[:2]


def _pelvis_row(path: Path) -> np.ndarray:
    rows = read_npy(path, remedy(path), _LARGEST_BYTES)
    with reading(path, "a joint regressor", remedy(path)):
        checks.has_shape("it", rows.shape, (None, VERTEX_COUNT))
        return checks.within("it", rows[0], 0, 1)
