"""Which files this process opens for reading, while somebody listens."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import h5py

_listening: list[set[Path]] = []


def _hear(path: object) -> None:
    if _listening and isinstance(path, str | bytes | os.PathLike):
        name = os.fsdecode(path)
        if os.path.isfile(name):
            _listening[-1].add(Path(name).absolute())


def _audit(event: str, arguments: tuple) -> None:
    if event == "open" and _listening:
        path, _, flags = arguments
        if not (flags or 0) & (os.O_WRONLY | os.O_RDWR):
            _hear(path)


# Hooks stay for good; HDF5 opens files past Python.
sys.addaudithook(_audit)
_open_hdf5 = h5py.h5f.open


def _heard_open(name, *arguments, **named):
    _hear(name)
    return _open_hdf5(name, *arguments, **named)


@contextmanager
def listening() -> Iterator[set[Path]]:
    """Collects the files that are opened for reading within the block."""
    _listening.append(set())
    h5py.h5f.open = _heard_open
    try:
        yield _listening[-1]
    finally:
        h5py.h5f.open = _open_hdf5
        _listening.pop()
