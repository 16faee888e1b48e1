"""Files appear under their final name only when they are whole."""

import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

# Read once: to ask means to set it, which two threads must not do at the same time.
_UMASK = os.umask(0)
os.umask(_UMASK)


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Gives a temporary path in `path`'s own folder and renames it to `path` on success.

    The folder is made if it is missing. If the block raises, the temporary file is removed and
    an older file under `path` stays as it was. A killed process leaves at most a `.part` file;
    see `remove_leftovers`.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    # The suffix stays last because some libraries choose the format by it.
    descriptor, name = tempfile.mkstemp(
        dir=path.parent, prefix=_prefix(path), suffix=f".part{path.suffix}"
    )
    os.close(descriptor)
    temporary = Path(name)
    try:
        yield temporary
        temporary.chmod(0o666 & ~_UMASK)
        with open(temporary, "rb") as written:
            os.fsync(written.fileno())
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Writes UTF-8 text whole or not at all."""
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def remove_leftovers(path: Path) -> None:
    """Removes what killed processes left of a file, or of all files in a folder.

    Nobody may be writing them.
    """
    folder, prefix = (path, ".") if path.is_dir() else (path.parent, _prefix(path))
    for leftover in folder.rglob(f"{prefix}*.part*"):
        leftover.unlink(missing_ok=True)


def _prefix(path: Path) -> str:
    # Not the name itself, which may be as long as names can be.
    return "." + hashlib.sha256(path.name.encode()).hexdigest()[:16]


def clear(folder: Path) -> None:
    """Takes away what is in a folder, if there is one; the folder stays, it may be a link."""
    if folder.is_dir():
        for path in folder.iterdir():
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink()
