"""Pickles that hold data only: arrays, sparse matrices, plain containers.

A pickle may name any importable function and have it called. The reader here knows a short
list of names, all of them data; it refuses everything else before anything of it runs. SMPL's
own files store some arrays as objects of `chumpy`, which is not needed to read them.
"""

from __future__ import annotations

import codecs
import collections
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import scipy.sparse

from stages.artifacts.errors import ArtifactError

_ADMITTED_BUILTINS = {
    "bool": bool, "int": int, "long": int, "float": float, "complex": complex, "str": str,
    "unicode": str, "bytes": bytes, "bytearray": bytearray, "list": list, "tuple": tuple,
    "dict": dict, "set": set, "frozenset": frozenset, "object": object, "slice": slice,
}  # fmt: skip
_NUMPY_MULTIARRAY = ("numpy.core.multiarray", "numpy._core.multiarray")
# What arrays and numbers of NumPy say themselves that they are to be rebuilt with.
_NUMPY_BUILDERS: dict[str, Any] = {
    "_reconstruct": np.zeros(1).__reduce__()[0],
    "scalar": np.float64(0).__reduce__()[0],
    "_frombuffer": np.zeros(1).__reduce_ex__(5)[0],
}
_SINCE_MOVED = {
    "numpy._core.multiarray": "numpy.core.multiarray",
    "scipy.sparse._csc": "scipy.sparse.csc",
}
_ADMITTED_SPARSE = ("csc_matrix", "csr_matrix", "coo_matrix", "csc_array", "csr_array", "coo_array")


class Refused(pickle.UnpicklingError):
    """The pickle names something that is not data."""


class ChumpyArray:
    """What a `chumpy` object was pickled with; `value()` is the array if that can be told."""

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.state = state

    def value(self) -> np.ndarray | None:
        """The array of a leaf (``x``) or of a selection from one; None for other expressions."""
        state = getattr(self, "state", {})
        if "x" in state:
            return np.asarray(state["x"])
        if {"a", "idxs", "preferred_shape"} <= state.keys():
            source = state["a"].value() if isinstance(state["a"], ChumpyArray) else state["a"]
            if source is None:
                return None
            picked = np.asarray(source).ravel()[np.asarray(state["idxs"]).astype(int).ravel()]
            return picked.reshape(state["preferred_shape"])
        return None


def _reconstruct_plain(cls: Any, base: type, state: None) -> Any:
    """`copyreg._reconstructor`, by which old protocols make objects, for admitted ones only."""
    if base is object and (cls is ChumpyArray or cls.__name__ in _ADMITTED_SPARSE):
        return cls.__new__(cls)
    raise Refused(f"{cls.__name__} built from {base.__name__}")


class _DataUnpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        root = module.split(".")[0]
        if root in ("builtins", "__builtin__") and name in _ADMITTED_BUILTINS:
            return _ADMITTED_BUILTINS[name]
        if module in ("copy_reg", "copyreg") and name == "_reconstructor":
            return _reconstruct_plain
        if module == "collections" and name == "OrderedDict":
            return collections.OrderedDict
        if module == "_codecs" and name == "encode":
            return codecs.encode
        if module == "numpy" and name in ("ndarray", "dtype"):
            return getattr(np, name)
        if module in _NUMPY_MULTIARRAY and name in ("_reconstruct", "scalar"):
            return _NUMPY_BUILDERS[name]
        if module in ("numpy.core.numeric", "numpy._core.numeric") and name == "_frombuffer":
            return _NUMPY_BUILDERS[name]
        if root == "scipy" and module.startswith("scipy.sparse") and name in _ADMITTED_SPARSE:
            return getattr(scipy.sparse, name)
        if root == "chumpy":
            return ChumpyArray
        raise Refused(f"{module}.{name}")


def _without_chumpy(value: Any) -> Any:
    if isinstance(value, ChumpyArray):
        array = value.value()
        return value if array is None else array
    if isinstance(value, dict):
        return {k: _without_chumpy(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(_without_chumpy(v) for v in value)
    return value


def dumped(value: Any) -> bytes:
    """A pickle that environments with an older NumPy or SciPy read too.

    NumPy 2 says of arrays where it rebuilds them itself, a module that NumPy has from 1.26 on; the
    one of before is there in all versions. SciPy moved its matrices in 1.8 and kept the old place,
    which SMPL's own files name.
    """
    # In protocol 3 a name is a line of text. No array of ours holds such a line.
    found = pickle.dumps(value, protocol=3)
    for now, before in _SINCE_MOVED.items():
        found = found.replace(f"c{now}\n".encode(), f"c{before}\n".encode())
    return found


def read_pickle(path: Path) -> Any:
    """Read a pickle of arrays, scipy sparse matrices and plain containers.

    Arrays of `chumpy` come back as numpy arrays. Files of Python 2 are read, too.

    Raises:
        ArtifactError: missing, damaged, or naming anything that is not data.
    """
    path = Path(path)
    try:
        with path.open("rb") as file:
            return _without_chumpy(_DataUnpickler(file, encoding="latin1").load())
    except FileNotFoundError:
        raise ArtifactError(path, "no such file") from None
    except Refused as error:
        raise ArtifactError(
            path, f"holds {error}, which is not data and was not loaded", "use a trusted file"
        ) from None
    except (
        pickle.UnpicklingError, EOFError, ValueError, TypeError, KeyError, IndexError,
        AttributeError, UnicodeDecodeError, MemoryError, OverflowError, LookupError,
    ) as error:  # fmt: skip
        raise ArtifactError(path, f"is not a readable pickle ({error})", "make it anew") from None
