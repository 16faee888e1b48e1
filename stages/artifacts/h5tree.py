"""The dictionary encoding that the HDF5 files of stages 1 to 3 share.

Dictionaries are groups and arrays are data sets; strings, numbers and lists are attributes of
the root group whose name is the absolute path with a leading slash. Names without a leading
slash are metadata that the original's readers ignore. No data set is a scalar.
"""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from jaxtyping import Float32

from stages.artifacts import checks
from stages.artifacts.atomic import replacing
from stages.artifacts.errors import ArtifactError
from stages.artifacts.float_maps import read_array
from stages.artifacts.h5_watch import Passage, go_through
from stages.artifacts.opening import reading, reason_of, status_of_file

COMPRESSION = {"compression": "lzf", "shuffle": True}
# LZF takes a sixth off pictures, and nothing off noisy ones; these are copied from file to file.
IMAGE_COMPRESSION = {"compression": "gzip", "compression_opts": 1}
_COMPRESS_FROM_BYTES = 4096
_NUMBERS = (h5py.h5t.INTEGER, h5py.h5t.FLOAT, h5py.h5t.ENUM)
_LARGEST_CHUNK_BYTES = 16 * 1024**2


def put_array(group: h5py.Group, name: str, array: np.ndarray) -> None:
    """Stores an array of at least one dimension; large ones are compressed losslessly."""
    if array.ndim == 0:
        raise ValueError(f"{group.name}/{name}: a scalar data set breaks the original's readers")
    if array.nbytes < _COMPRESS_FROM_BYTES:
        group.create_dataset(name, data=array)
        return
    chunks = _chunks(array)
    packing = IMAGE_COMPRESSION if array.dtype == np.uint8 else COMPRESSION
    dataset = group.create_dataset(name, array.shape, array.dtype, chunks=chunks, **packing)
    if isinstance(chunks, tuple) and chunks != array.shape:
        for last in range(array.shape[-1]):  # HDF5 gathers every number of a chunk by itself else.
            dataset[..., last] = np.ascontiguousarray(array[..., last])
    else:
        dataset[...] = array


def is_packed(dataset: h5py.Dataset) -> bool:
    """Whether a data set is compressed, or too small to be."""
    small = dataset.id.get_storage_size() < _COMPRESS_FROM_BYTES
    return small or dataset.compression is not None


def _chunks(array: np.ndarray) -> tuple[int, ...] | bool:
    """A map at a time: maps are read whole, and x, y and z compress better apart."""
    if array.ndim == 3 and array.dtype.kind == "f":
        return (*array.shape[:2], 1)
    return array.shape if array.nbytes <= _LARGEST_CHUNK_BYTES else True


def rounded(array: Float32[np.ndarray, "*n"]) -> Float32[np.ndarray, "*n"]:
    """The nearest numbers of 16 significant bits (0.06 mm at 4 m), which compress far better."""
    bits = np.ascontiguousarray(array, np.float32).view(np.uint32)
    half, kept = np.uint32(1 << 7), np.uint32(0xFFFFFF00)
    return ((bits + half) & kept).view(np.float32)


def put_strings(root: h5py.File, path: str, strings: list[str] | np.ndarray) -> None:
    """Stores strings as the root attribute `path`, which begins with a slash."""
    root.attrs.create(path, strings, dtype=h5py.string_dtype())


def as_strings(values: Any) -> list[str]:
    """A flat list of strings from an attribute or data set of str or bytes, of any shape."""
    return [
        value.decode() if isinstance(value, bytes) else str(value)
        for value in np.asarray(values, dtype=object).ravel()
    ]


class Group:
    """A group of an open file; what is wrong with what is in it is told with file and place.

    Nothing is read of what `h5_probe` has not gone through.
    """

    def __init__(self, path: Path, fix: str, passage: Passage, group: h5py.Group) -> None:
        self.path, self.fix = path, fix
        self._passage, self._group = passage, group
        self.place = str(group.name)
        if problem := passage.wait_for(self.place):
            raise ArtifactError(path, problem, fix)

    @contextmanager
    def reading(self, name: str) -> Iterator[None]:
        """Errors of the block are those of an entry of this group."""
        place = f"{self.place.rstrip('/')}/{name}"
        try:
            yield
        except ArtifactError:
            raise
        except Exception as error:
            problem = f"{place}: {reason_of(error)}"
            raise ArtifactError(self.path, problem, self.fix) from None

    @property
    def names(self) -> list[str]:
        """Of all that is in the group, sorted."""
        with self.reading(""):
            return sorted(self._group)

    def __contains__(self, name: str) -> bool:
        with self.reading(name):
            return name in self._group

    def group(self, name: str) -> "Group":
        """A group in this one."""
        with self.reading(name):
            found = self._group.get(name)
            if not isinstance(found, h5py.Group):
                raise TypeError("missing, expected a group" if found is None else "not a group")
            return Group(self.path, self.fix, self._passage, found)

    def holds_group(self, name: str) -> bool:
        """Whether an entry is a group; else it is an array."""
        with self.reading(name):
            return self._group.get(name, getclass=True) is h5py.Group

    def dataset(self, name: str) -> h5py.Dataset:
        """An array in this group, not read yet."""
        with self.reading(name):
            found = self._group.get(name)
            if not isinstance(found, h5py.Dataset):
                raise TypeError("missing, expected an array" if found is None else "not an array")
            return found

    def datasets(self) -> Iterator[tuple[str, h5py.Dataset]]:
        """All that is in the group, as it lies there."""
        return ((name, self.dataset(name)) for name in self.names)

    def array(self, name: str, *shape: int | None) -> np.ndarray:
        """The numbers of an array.

        Args:
            shape: what they must be; None for any length, no shape for any.

        Raises:
            ArtifactError: missing, damaged, no numbers or of another shape.
        """
        dataset = self.dataset(name)
        with self.reading(name):
            if shape:
                checks.has_shape("it", dataset.shape, shape)
            if dataset.id.get_type().get_class() not in _NUMBERS:
                raise TypeError(f"{dataset.dtype}, expected numbers")
            return read_array(dataset)

    def strings(self, name: str) -> list[str]:
        """The texts of an array."""
        with self.reading(name):
            return as_strings(self.dataset(name)[()])

    @cached_property
    def attributes(self) -> dict[str, Any]:
        """All attributes; metadata are those without a leading slash."""
        with self.reading(""):
            return dict(self._group.attrs.items())

    def attribute(self, name: str) -> Any:
        """An attribute spelled with or without a leading slash; None if there is neither."""
        return self.attributes.get(name, self.attributes.get(f"/{name}"))

    @property
    def metadata(self) -> dict[str, Any]:
        """Attributes without a leading slash."""
        return {name: each for name, each in self.attributes.items() if not name.startswith("/")}


@contextmanager
def opened(path: Path, fix: str) -> Iterator[Group]:
    """Opens an HDF5 file for reading, without HDF5's own locks, which some network folders refuse:
    files appear whole under their name and are never written to again.

    Raises:
        ArtifactError: missing, damaged, not to be read, or no file.
    """
    status_of_file(path, fix)
    with reading(path, "an HDF5 file", fix):
        with path.open("rb"):
            pass  # The system says better than HDF5 why it cannot be read.
        passage = go_through(path)
        if problem := passage.wait_for("/"):
            again = f"delete it and {fix}" if problem.startswith("damaged") else fix
            raise ArtifactError(path, problem, again)
        file = h5py.File(path, "r", locking=False)
    with file:
        yield Group(path, fix, passage, file)


class _Patient(io.FileIO):
    """Keeps failed writes to itself: HDF5 crashes the process over a full disk."""

    failure: OSError | None = None

    def write(self, data: Any) -> int:
        rest = memoryview(data).cast("B")
        try:
            while rest and self.failure is None:
                rest = rest[super().write(rest) :]
        except OSError as error:
            self.failure = error
        return len(data)

    def truncate(self, size: int | None = None) -> int:
        try:
            return super().truncate(size)
        except OSError as error:
            self.failure = error
            return size or 0


@contextmanager
def created(path: Path) -> Iterator[h5py.File]:
    """Creates an HDF5 file that appears under its name only when the block has ended well.

    In the layout of HDF5 1.8, as the first one's attributes hold no more than 4089 names of frames.
    """
    with replacing(path) as temporary, _Patient(temporary, "w+") as raw:
        try:
            with h5py.File(raw, "w", libver=("v108", "latest")) as file:
                yield file
        finally:
            if raw.failure is not None:
                raise OSError(raw.failure.errno, raw.failure.strerror, str(path))
