"""Pickles are read as data; nothing in them is ever run."""

import collections
import os
import pickle
import pickletools
import subprocess
from pathlib import Path

import numpy as np
import pytest
import scipy.sparse
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays as numpy_arrays

from stages.artifacts.errors import ArtifactError
from stages.artifacts.pickles import dumped, read_pickle


class Calls:
    """Pickles as a call of `function`, as an attack would."""

    def __init__(self, function, *arguments):
        self.function, self.arguments = function, arguments

    def __reduce__(self):
        return self.function, self.arguments


@pytest.mark.parametrize(
    "function",
    [os.system, subprocess.check_output, eval, exec, getattr, __import__, open, np.load, print],
)
@pytest.mark.parametrize("protocol", [0, 2, 5])
def test_a_call_is_refused_by_name_and_not_made(tmp_path, function, protocol):
    mark = tmp_path / "ran"
    path = tmp_path / "bad.pkl"
    path.write_bytes(pickle.dumps({"a": Calls(function, f"touch {mark}")}, protocol=protocol))
    with pytest.raises(ArtifactError, match=rf"{function.__name__}.*not data"):
        read_pickle(path)
    assert not mark.exists()


@pytest.mark.parametrize("name", [b"os.system", b"__class__", b"frombuffer.__globals__"])
def test_dotted_names_do_not_reach_behind_an_admitted_module(tmp_path, name):
    path = tmp_path / "bad.pkl"
    length = bytes([len(name)])
    path.write_bytes(b"\x80\x04\x8c\x05numpy\x8c" + length + name + b"\x93.")
    with pytest.raises(ArtifactError, match="not data"):
        read_pickle(path)


def test_an_instance_of_any_other_class_is_refused(tmp_path):
    path = tmp_path / "bad.pkl"
    path.write_bytes(pickle.dumps(Path("somewhere")))
    with pytest.raises(ArtifactError, match="Path"):
        read_pickle(path)


@settings(max_examples=30, deadline=None)
@given(
    numpy_arrays(
        st.sampled_from([np.float32, np.float64, np.int64, np.bool_]),
        st.tuples(st.integers(0, 3), st.integers(0, 3)),
        elements={"allow_nan": False},
    ),
    st.sampled_from([0, 1, 2, 3, 4, 5]),
)
def test_arrays_in_plain_containers_come_back_unchanged(tmp_path_factory, array, protocol):
    path = tmp_path_factory.mktemp("pickles") / "data.pkl"
    record = {1: {"array": array, "flag": np.bool_(True), "list": [1, 2.5, "x", (None,)]}}
    path.write_bytes(pickle.dumps(record, protocol=protocol))
    read = read_pickle(path)
    np.testing.assert_array_equal(read[1]["array"], array)
    assert read[1]["array"].dtype == array.dtype
    assert read[1]["flag"] and read[1]["list"] == record[1]["list"]


def test_sparse_matrices_and_ordered_tables_are_data(tmp_path):
    path = tmp_path / "data.pkl"
    matrix = scipy.sparse.csc_matrix(np.eye(3))
    path.write_bytes(pickle.dumps(collections.OrderedDict(a=matrix)))
    np.testing.assert_array_equal(read_pickle(path)["a"].toarray(), np.eye(3))


@pytest.mark.parametrize("content", [b"", b"hello", b"\x80\x05", pickle.dumps(np.zeros(9))[:-20]])
def test_a_damaged_pickle_is_told_in_a_line(tmp_path, content):
    path = tmp_path / "data.pkl"
    path.write_bytes(content)
    with pytest.raises(ArtifactError, match="not a readable pickle"):
        read_pickle(path)


def test_a_missing_pickle_is_told(tmp_path):
    with pytest.raises(ArtifactError, match="no such file"):
        read_pickle(tmp_path / "data.pkl")


def test_what_is_written_names_only_what_older_environments_have(tmp_path):
    value = {1: {"a": np.eye(3), "b": np.bool_(True), "c": scipy.sparse.csc_matrix(np.eye(3))}}
    data = dumped(value)
    names = [name for code, name, _ in pickletools.genops(data) if "GLOBAL" in code.name]
    assert set(names) == {
        "numpy dtype",
        "numpy ndarray",
        "numpy.core.multiarray _reconstruct",
        "numpy.core.multiarray scalar",
        "scipy.sparse.csc csc_matrix",
    }
    (tmp_path / "new.pkl").write_bytes(data)
    (found,) = read_pickle(tmp_path / "new.pkl").values()
    assert (found["a"] == np.eye(3)).all() and found["b"] == np.True_
    assert (found["c"].toarray() == np.eye(3)).all()
