"""The dictionary encoding that the HDF5 files of stages 1 to 3 share.

Dictionaries are groups and arrays are data sets; strings, numbers and lists are attributes of
the root group whose name is the absolute path with a leading slash. Names without a leading
slash are metadata that the original's readers ignore. No data set is a scalar.
"""

import io
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from jaxtyping import Float32

from stages.artifacts.atomic import replacing
from stages.artifacts.errors import ArtifactError

COMPRESSION = {"compression": "lzf", "shuffle": True}
# LZF takes a sixth off pictures, and nothing off noisy ones; these are copied from file to file.
IMAGE_COMPRESSION = {"compression": "gzip", "compression_opts": 1}
_COMPRESS_FROM_BYTES = 4096
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


def read_attribute(group: h5py.Group, name: str) -> Any:
    """An attribute spelled with or without a leading slash; None if there is neither."""
    for spelling in (name, f"/{name}"):
        if spelling in group.attrs:
            return group.attrs[spelling]
    return None


@contextmanager
def opened(path: Path, fix: str) -> Iterator[h5py.File]:
    """Opens an HDF5 file for reading, without HDF5's own locks, which some network folders refuse:
    files appear whole under their name and are never written to again.

    Raises:
        ArtifactError: missing, damaged, not to be read, or without an expected entry (a KeyError
            inside the block).
    """
    if not path.exists():
        raise ArtifactError(path, "missing", fix)
    try:
        file = h5py.File(path, "r", locking=False)
    except OSError as error:
        if error.errno is not None:  # The system's, which tells nothing about what is in the file.
            raise ArtifactError(path, f"cannot be read ({os.strerror(error.errno)})") from None
        raise ArtifactError(path, f"damaged ({error})", f"delete it and {fix}") from None
    with file:
        try:
            yield file
        except KeyError as error:
            raise ArtifactError(path, f"lacks an entry ({error})", fix) from error


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
