"""Body files are read in all their forms; what is no body is refused."""

import pickle
import sys
import types

import numpy as np
import pytest
import scipy.sparse

from stages.artifacts.errors import ArtifactError
from stages.body.joint_names import SMPL_EXTRA_VERTICES, smpl45_row
from stages.body.model import load_body


@pytest.fixture
def chumpy(monkeypatch):
    """A stand-in for the package that SMPL's own files were pickled with; gone when reading."""
    module = types.ModuleType("chumpy.ch")

    class Ch:
        def __init__(self, x):
            self.x = x

    Ch.__module__, Ch.__qualname__ = "chumpy.ch", "Ch"
    module.Ch = Ch
    monkeypatch.setitem(sys.modules, "chumpy", types.ModuleType("chumpy"))
    monkeypatch.setitem(sys.modules, "chumpy.ch", module)
    yield Ch
    assert "chumpy" not in sys.modules


def test_smpls_own_pickle_is_read_without_chumpy(tmp_path, monkeypatch, chumpy, smpl_arrays):
    arrays = smpl_arrays
    stored = {k: chumpy(v) if k in ("v_template", "shapedirs") else v for k, v in arrays.items()}
    stored["J_regressor"] = scipy.sparse.csc_matrix(arrays["J_regressor"])
    path = tmp_path / "SMPL_MALE.pkl"
    path.write_bytes(pickle.dumps(stored, protocol=2))
    monkeypatch.undo()
    body = load_body(path)
    np.testing.assert_allclose(body.v_template, arrays["v_template"], atol=1e-6)
    np.testing.assert_allclose(body.J_regressor, arrays["J_regressor"], atol=1e-6)
    np.testing.assert_array_equal(body.extra_vertices, SMPL_EXTRA_VERTICES)
    assert body.keypoint_vertices is None


def test_feet_are_told_from_the_weights_where_a_file_lists_none(random_body):
    body, _ = random_body
    moving = [smpl45_row("left_ankle"), smpl45_row("left_foot")]
    assert len(body.left_foot_vertices) > 0
    assert np.all(body.weights[body.left_foot_vertices][:, moving].sum(1) > 0.5)


def test_300_shape_directions_are_cut_to_ten(tmp_path, smpl_arrays):
    arrays = smpl_arrays
    arrays["shapedirs"] = np.concatenate([arrays["shapedirs"]] * 30, axis=2)
    np.savez(tmp_path / "body.npz", **arrays)
    assert load_body(tmp_path / "body.npz").shapedirs.shape == (6890, 3, 10)


@pytest.mark.parametrize(
    ("name", "value", "complaint"),
    [
        ("weights", np.zeros((100, 24)), "weights has shape"),
        ("shapedirs", np.zeros((6890, 3, 4)), "shapedirs has shape"),
        ("v_template", np.full((6890, 3), np.nan), "not finite"),
        ("v_template", np.linspace(-900, 900, 6890 * 3).reshape(-1, 3), "1800 .* not in metres"),
        ("f", np.full((5, 3), 9999), "triangles"),
        ("kintree_table", np.tile(np.arange(24)[::-1], (2, 1)), "tree"),
    ],
)
def test_a_file_of_another_layout_is_refused(tmp_path, name, value, complaint, smpl_arrays):
    path = tmp_path / "body.npz"
    np.savez(path, **(smpl_arrays | {name: value}))
    with pytest.raises(ArtifactError, match=complaint):
        load_body(path)


def test_a_missing_array_is_named(tmp_path, smpl_arrays):
    arrays = smpl_arrays
    del arrays["posedirs"]
    np.savez(tmp_path / "body.npz", **arrays)
    with pytest.raises(ArtifactError, match="posedirs"):
        load_body(tmp_path / "body.npz")


@pytest.mark.parametrize("name", ["body.npz", "body.pkl"])
def test_missing_and_damaged_files_are_told_in_a_line(tmp_path, name):
    with pytest.raises(ArtifactError, match="no such file"):
        load_body(tmp_path / name)
    with pytest.raises(ArtifactError, match="a folder; name the file"):
        load_body(tmp_path)
    (tmp_path / name).write_bytes(b"PK\x03\x04 not really")
    with pytest.raises(ArtifactError, match="not a readable"):
        load_body(tmp_path / name)


def test_a_sparse_matrix_with_indices_out_of_range_is_refused(tmp_path, smpl_arrays):
    arrays = smpl_arrays
    bad = scipy.sparse.csc_matrix(arrays["J_regressor"])
    bad.indices[0] = 10**6
    path = tmp_path / "body.pkl"
    path.write_bytes(pickle.dumps(arrays | {"J_regressor": bad}))
    with pytest.raises(ArtifactError):
        load_body(path)
