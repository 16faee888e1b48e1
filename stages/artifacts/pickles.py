"""Pickles that hold data only: arrays, sparse matrices, plain containers.

A pickle may name any importable function and have it called. Here a short list of names is known,
each of which stands for a class or function of this project (see `pickle_machine`); all else is
refused, and nothing of it runs. Arrays and matrices are put together of parts that were checked.
SMPL's own files store some arrays as objects of `chumpy`, which is not needed to read them.
"""

from __future__ import annotations

import pickle
import re
from pathlib import Path
from typing import Any

import numpy as np
import scipy.sparse

from stages.artifacts.errors import ArtifactError
from stages.artifacts.opening import read_bytes, reason_of
from stages.artifacts.pickle_machine import Name, PickleMachine, RefusedError, Spending

_DEEPEST = 40
_MOST_DIMENSIONS = 32
_TYPE = re.compile(r"[<>=|]?(b1|[iu][1248]|f[248]|c8|c16|[SU]\d{1,6}|O8?)")
_SPARSE = ("csc", "csr", "coo")
_SINCE_MOVED = {
    "numpy._core.multiarray": "numpy.core.multiarray",
    "scipy.sparse._csc": "scipy.sparse.csc",
}
_LARGEST_MATRIX = 512 * 1024**2


class _Type:
    """A `dtype`: numbers, texts, or `O` for a list of objects."""

    def __init__(self, text: Any, *_: Any) -> None:
        if type(text) is not str or not _TYPE.fullmatch(text):
            raise RefusedError(f"numbers of type {text!r:.40}")
        self.is_object = text.lstrip("<>=|").startswith("O")
        self.dtype = np.dtype(bool if self.is_object else text)

    def build(self, state: Any) -> None:
        order, nested = state[1], state[2:5]
        if order not in ("<", ">", "=", "|") or any(each is not None for each in nested):
            raise RefusedError("numbers of a type with parts")
        if order in "<>":
            self.dtype = self.dtype.newbyteorder(order)


def _shaped(shape: Any, count_bytes: int, itemsize: int) -> tuple[int, ...]:
    lengths = shape if type(shape) is tuple else (shape,)
    if len(lengths) > _MOST_DIMENSIONS or any(type(n) is not int or n < 0 for n in lengths):
        raise ValueError(f"an array of shape {shape!r:.60}")
    total = itemsize
    for length in lengths:
        total *= length
    if total != count_bytes:
        raise ValueError(f"{count_bytes} bytes for an array of shape {shape!r:.60}")
    return lengths


def _raw(content: Any) -> bytes:
    if type(content) is str:  # As Python 2 wrote bytes.
        return content.encode("latin1")
    if type(content) is not bytes:
        raise RefusedError(f"an array of {type(content).__name__}")
    return content


class _Array:
    """An array, or the list that an array of objects is of."""

    value: Any = None

    def build(self, state: Any) -> None:
        _version, shape, kind, is_fortran, content = state
        self.fill(content, kind, shape, "F" if is_fortran else "C")

    def fill(self, content: Any, kind: Any, shape: Any, order: Any) -> None:
        if type(kind) is not _Type:
            raise RefusedError("an array of an unknown type")
        if kind.is_object:
            if type(content) is not list:
                raise RefusedError("an array of objects that is no list")
            _shaped(shape, len(content), 1)
            self.value = content
            return
        raw = _raw(content)
        flat = np.frombuffer(raw, kind.dtype) if raw else np.zeros(0, kind.dtype)
        lengths = _shaped(shape, len(raw), kind.dtype.itemsize)
        self.value = flat.reshape(lengths, order="F" if order == "F" else "C").copy("K")

    def whole(self) -> int:
        """The number, where it is a whole one: a key of a table."""
        if not isinstance(self.value, np.generic) or self.value.dtype.kind not in "iu":
            raise RefusedError("a key that is no number")
        return int(self.value)


def _array_from_buffer(content: Any, kind: Any, shape: Any, order: Any = "C") -> _Array:
    array = _Array()
    array.fill(content, kind, shape, order)
    return array


def _empty_array(*_: Any) -> _Array:
    return _Array()


def _scalar(kind: Any, content: Any) -> _Array:
    if type(kind) is not _Type or kind.is_object:
        raise RefusedError("a number of an unknown type")
    raw = _raw(content)
    if len(raw) != kind.dtype.itemsize:
        raise ValueError(f"{len(raw)} bytes for one number")
    array = _Array()
    array.value = np.frombuffer(raw, kind.dtype)[0]
    return array


class _Sparse:
    """A sparse matrix."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.parts: dict[str, Any] = {}

    def build(self, state: Any) -> None:
        state = state[0] if type(state) is tuple and len(state) == 2 else state
        if type(state) is not dict:
            raise RefusedError(f"a matrix of {type(state).__name__}")
        self.parts = state

    def matrix(self, resolve: Any) -> Any:
        """Made anew of its parts, by SciPy's own checks of indices."""
        parts = {
            name: resolve(each)
            for name, each in self.parts.items()
            if name in ("_shape", "shape", "data", "indices", "indptr", "row", "col", "coords")
        }
        shape = parts.get("_shape", parts.get("shape"))
        if type(shape) is not tuple or len(shape) != 2:
            raise ValueError("a matrix without its shape")
        rows, columns = (int(length) for length in shape)
        if min(rows, columns) < 0 or rows * columns * 8 > _LARGEST_MATRIX:
            raise ValueError(f"a matrix of {rows} x {columns}")
        data = _numbers(parts["data"], "biuf")
        if self.kind == "coo":
            row, column = parts["coords"] if "coords" in parts else (parts["row"], parts["col"])
            places = _numbers(row, "iu"), _numbers(column, "iu")
            for place, length in zip(places, (rows, columns), strict=True):
                if place.shape != data.shape or (
                    place.size and not 0 <= place.min() <= place.max() < length
                ):
                    raise ValueError("a matrix with indices beyond its shape")
            return scipy.sparse.coo_matrix((data, places), shape=(rows, columns))
        indices, pointers = _numbers(parts["indices"], "iu"), _numbers(parts["indptr"], "iu")
        length = rows if self.kind == "csr" else columns
        if (
            pointers.shape != (length + 1,)
            or pointers[0] != 0
            or (np.diff(pointers.astype(np.int64)) < 0).any()
            or not pointers[-1] == len(indices) == len(data)
        ):
            raise ValueError("a matrix whose rows do not fit its numbers")
        make = scipy.sparse.csr_matrix if self.kind == "csr" else scipy.sparse.csc_matrix
        matrix = make((data, indices, pointers), shape=(rows, columns))
        matrix.check_format(full_check=True)
        return matrix


def _numbers(value: Any, kinds: str) -> np.ndarray:
    if not isinstance(value, np.ndarray) or value.dtype.kind not in kinds or value.ndim != 1:
        raise ValueError("a matrix whose parts are not lists of numbers")
    return value


class _Chumpy:
    """What a `chumpy` object was pickled with."""

    def __init__(self) -> None:
        self.state: dict[str, Any] = {}

    def build(self, state: Any) -> None:
        if type(state) is not dict:
            raise RefusedError(f"a chumpy object of {type(state).__name__}")
        self.state = state

    def array(self, resolve: Any) -> np.ndarray | None:
        """The array of a leaf (``x``) or of a selection from one; None for other expressions."""
        if "x" in self.state:
            return np.asarray(resolve(self.state["x"]))
        if {"a", "idxs", "preferred_shape"} <= self.state.keys():
            source = resolve(self.state["a"])
            if source is None:
                return None
            places = np.asarray(resolve(self.state["idxs"])).astype(int).ravel()
            return np.asarray(source).ravel()[places].reshape(self.state["preferred_shape"])
        return None


def _reconstructed(kind: Any, base: Any, state: Any) -> Any:
    """`copyreg._reconstructor`, by which old protocols make objects."""
    if not isinstance(kind, Name) or not isinstance(base, Name) or base.name != "object":
        raise RefusedError("an object of an unknown class")
    if state is not None:
        raise RefusedError(f"an object of {kind.name} from arguments")
    return kind.new()


def _encoded(text: Any, encoding: Any) -> bytes:
    """`_codecs.encode`, by which protocols before 3 store bytes."""
    if type(text) is not str or encoding not in ("latin1", "latin-1"):
        raise RefusedError(f"a text encoded by {encoding!r:.40}")
    return text.encode("latin1")


def _bytes(*arguments: Any) -> bytes:
    if arguments and (type(arguments[0]) is not bytes or len(arguments) > 1):
        return _encoded(*arguments)
    return arguments[0] if arguments else b""


def _set(entries: Any = ()) -> set:
    if type(entries) is not list or not all(type(each) in (str, int) for each in entries):
        raise RefusedError("a set of more than texts and numbers")
    return set(entries)


def _table(pairs: Any = ()) -> dict:
    if pairs != ():
        raise RefusedError("an ordered table from arguments")
    return {}


def _find(module: str, name: str) -> Name:
    """What a module's name stands for.

    Raises:
        RefusedError: it is not data.
    """
    root = module.split(".")[0]
    known: dict[str, Name] = {}
    if root in ("builtins", "__builtin__"):
        known = {
            "object": Name("object"),
            "bytes": Name("bytes", _bytes),
            "bytearray": Name("bytearray", _bytes),
            "set": Name("set", _set),
            "frozenset": Name("frozenset", _set),
        }
    elif module in ("copy_reg", "copyreg"):
        known = {"_reconstructor": Name(name, _reconstructed)}
    elif module == "collections":
        known = {"OrderedDict": Name(name, _table, dict)}
    elif module == "_codecs":
        known = {"encode": Name(name, _encoded)}
    elif module == "numpy":
        known = {"ndarray": Name("ndarray"), "dtype": Name("dtype", _Type)}
    elif module in ("numpy.core.multiarray", "numpy._core.multiarray"):
        known = {"_reconstruct": Name(name, _empty_array), "scalar": Name(name, _scalar)}
    elif module in ("numpy.core.numeric", "numpy._core.numeric"):
        known = {"_frombuffer": Name(name, _array_from_buffer)}
    elif module == "scipy.sparse" or module.startswith("scipy.sparse."):
        kind = name.split("_")[0]
        if kind in _SPARSE and name in (f"{kind}_matrix", f"{kind}_array"):
            return Name(name, new=lambda: _Sparse(kind))
    elif root == "chumpy":
        return Name(name, new=_Chumpy)
    if name not in known:
        raise RefusedError(f"{module}.{name}"[:200])
    return known[name]


def _resolved(value: Any, spending: Spending, depth: int = 0) -> Any:
    """The value with arrays in the place of parts; what is shared counts wherever it is."""
    if depth > _DEEPEST:
        raise RefusedError("data that are nested too deeply")
    spending.spend(steps=1)

    def inside(each: Any) -> Any:
        return _resolved(each, spending, depth + 1)

    if isinstance(value, _Array):
        if isinstance(value.value, list):
            return inside(value.value)
        if value.value is None:
            raise ValueError("an array without its numbers")
        spending.spend(count_bytes=value.value.nbytes)
        return value.value
    if isinstance(value, _Sparse):
        return value.matrix(inside)
    if isinstance(value, _Chumpy):
        return value.array(inside)
    if isinstance(value, dict):
        return {key: inside(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(inside(each) for each in value)
    if isinstance(value, (str, bytes)):
        spending.spend(count_bytes=len(value))
    elif isinstance(value, (Name, _Type)):
        raise RefusedError("a name in the place of data")
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

    Arrays of `chumpy` come back as numpy arrays, arrays of objects as lists. Files of Python 2 are
    read, too.

    Raises:
        ArtifactError: missing, damaged, too large, or naming anything that is not data.
    """
    try:
        content = read_bytes(Path(path), "make it anew")
    except ArtifactError as error:
        if str(error).startswith(f"{path}: missing"):
            raise ArtifactError(path, "no such file") from None
        raise
    return parse_pickle(content, Path(path))


def parse_pickle(content: bytes, path: Path) -> Any:
    """As `read_pickle`, of a pickle inside the file `path`."""
    machine = PickleMachine(content, _find)
    try:
        return _resolved(machine.run(), machine.spending)
    except RefusedError as error:
        raise ArtifactError(
            path, f"holds {error}, which is not data and was not loaded", "use a trusted file"
        ) from None
    except Exception as error:
        problem = f"is not a readable pickle ({reason_of(error)})"
        raise ArtifactError(path, problem, "make it anew") from None
