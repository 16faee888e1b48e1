"""The official network's data files, and the one body that it knows."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.sparse

from stages.artifacts.errors import ArtifactError
from stages.body.model import DEMO_BODY, BodyModel, load_body
from stages.stage0_bstro.official_data import REGRESSOR, SAMPLER, official_template
from stages.stage0_bstro.template import rotated_rest_vertices
from stages.weights.errors import WeightsError

Golden = dict[str, np.ndarray]


def selection(columns: np.ndarray, width: int) -> scipy.sparse.coo_matrix:
    rows = np.arange(len(columns))
    return scipy.sparse.coo_matrix((np.ones(len(columns)), (rows, columns)), (len(columns), width))


def write_data_files(folder: Path, indices: Golden) -> None:
    fine, coarse = indices["select_6890_to_1723"], indices["select_1723_to_431"]
    steps: Any = np.empty(2, object)
    steps[:] = [selection(fine, 6890), selection(coarse, len(fine))]
    np.savez(folder / SAMPLER, D=steps)
    regressor = np.zeros((17, 6890))
    regressor[0, indices["h36m_pelvis_vertex"]] = indices["h36m_pelvis_weight"]
    np.save(folder / REGRESSOR, regressor)


@pytest.fixture
def folder(tmp_path: Path, bstro_indices: Golden) -> Path:
    """Files in the official layout that select what the official ones select."""
    write_data_files(tmp_path, bstro_indices)
    return tmp_path


@pytest.fixture(scope="module")
def demo() -> BodyModel:
    return load_body(DEMO_BODY)


def test_a_body_with_other_vertices_than_smpls_is_refused(folder: Path, demo: BodyModel) -> None:
    with pytest.raises(WeightsError) as error:
        official_template(folder, demo)
    said = str(error.value)
    assert "wants SMPL's own vertices, this body has others" in said and len(said) < 200


def test_a_body_whose_pelvis_is_where_smpls_is_gives_the_template(
    folder: Path, demo: BodyModel, bstro_indices: Golden
) -> None:
    vertices = demo.v_template.copy()
    vertices[bstro_indices["h36m_pelvis_vertex"]] = demo.joint_template[0]
    template = official_template(folder, replace(demo, v_template=vertices))
    rested = rotated_rest_vertices(vertices, demo.joint_template[0])
    chosen = rested[bstro_indices["select_6890_to_431"]]
    pelvis = bstro_indices["h36m_pelvis_weight"] @ rested[bstro_indices["h36m_pelvis_vertex"]]
    np.testing.assert_allclose(template, chosen - pelvis, atol=1e-6)


@pytest.mark.parametrize("name", [SAMPLER, REGRESSOR])
@pytest.mark.parametrize("content", [None, b"", b"<html>sign in</html>", b"cut" * 100])
def test_a_data_file_that_is_missing_or_something_else_names_the_command(
    folder: Path, demo: BodyModel, name: str, content: bytes | None
) -> None:
    (folder / name).unlink() if content is None else (folder / name).write_bytes(content)
    with pytest.raises(ArtifactError) as error:
        official_template(folder, demo)
    assert name in str(error.value)
    assert "`make weights CHECKPOINTS=bstro-data WEIGHTS=" in str(error.value)
