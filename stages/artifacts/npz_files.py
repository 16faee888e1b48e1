"""NumPy's `.npz` and `.npy`: types and shapes are looked at before anything is unpacked."""

import io
import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import IO

import numpy as np

from stages.artifacts.opening import read_bytes, reading

LARGEST_BYTES = 512 * 1024**2
"""Of all arrays of a file together, unpacked."""
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_KINDS = "biufcSU"


def read_npz(
    path: Path, fix: str, names: Iterable[str] | None = None, most_bytes: int = LARGEST_BYTES
) -> dict[str, np.ndarray]:
    """Arrays of a file by name.

    Args:
        names: those that are read and must be there; None for all that there are.
        most_bytes: of these arrays together.

    Raises:
        ArtifactError: missing, damaged, too large, or with arrays that are not numbers or texts.
    """
    content = read_bytes(path, fix)
    found: dict[str, np.ndarray] = {}
    with (
        reading(path, "a readable npz", fix, "damaged: not"),
        zipfile.ZipFile(io.BytesIO(content)) as archive,
    ):
        members = {info.filename.removesuffix(".npy"): info for info in archive.infolist()}
        for name in members if names is None else names:
            if name not in members:
                raise KeyError(name)
            if members[name].compress_type not in _METHODS:
                raise ValueError(f"{name} is packed by an unknown method")
            with archive.open(members[name]) as file:
                found[name] = _read_array(file, name, most_bytes)
            most_bytes -= found[name].nbytes
    return found


def read_npy(path: Path, fix: str, most_bytes: int = LARGEST_BYTES) -> np.ndarray:
    """The array of a `.npy` file.

    Raises:
        ArtifactError: as `read_npz`.
    """
    content = read_bytes(path, fix)
    with reading(path, "a readable npy", fix):
        return _read_array(io.BytesIO(content), path.name, most_bytes)


def _read_array(file: IO[bytes], name: str, most_bytes: int) -> np.ndarray:
    shape, is_fortran, dtype = read_header(file)
    if dtype.kind not in _KINDS:
        raise ValueError(f"{name} is of {dtype}, expected numbers")
    size = dtype.itemsize
    for length in shape:
        size *= length
    if not 0 <= size <= most_bytes or any(length < 0 for length in shape):
        raise ValueError(f"{name} is {' x '.join(map(str, shape))}, which is too large")
    # One byte more than wanted, so that the checksum at the end is looked at.
    content = file.read(size + 1)
    if len(content) != size:
        raise ValueError(f"{name} has {len(content)} bytes, expected {size}")
    array = np.frombuffer(bytearray(content), dtype) if size else np.zeros(0, dtype)
    return array.reshape(shape, order="F" if is_fortran else "C")


def read_header(file: IO[bytes]) -> tuple[tuple[int, ...], bool, np.dtype]:
    """Shape, whether columns come first, and type of a `.npy` array.

    Raises:
        ValueError: no header, or one that no array of numbers has.
    """
    version = np.lib.format.read_magic(file)
    if version == (1, 0):
        return np.lib.format.read_array_header_1_0(file)
    if version == (2, 0):
        return np.lib.format.read_array_header_2_0(file)
    raise ValueError(f"version {version}, expected 1.0 or 2.0")
