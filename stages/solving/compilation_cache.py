"""JAX's persistent compilation cache, so that a second process does not compile again."""

import os
import stat
import warnings
from pathlib import Path

import jax
import jaxlib

_LARGEST_BYTES = 2 * 1024**3


def cache_root() -> Path:
    """`MIMICMILL_CACHE`, or `~/.cache/mimicmill`."""
    chosen = os.environ.get("MIMICMILL_CACHE")
    return Path(chosen).expanduser() if chosen else Path.home() / ".cache" / "mimicmill"


def use_compilation_cache(root: Path | None = None) -> Path | None:
    """Keep compiled programs under `<root>/jax/<jaxlib version>/<device>`; returns that folder.

    Folders that are made are the owner's only: whoever can write there decides what code runs. One
    that was there already stays as it is. Returns None, and leaves the cache off, where no folder
    can be made (a read-only home), or one belongs to someone else or can be written to by others.
    """
    # Taking most of a GPU's memory ahead of use takes longer than a solve, and others' memory.
    os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")
    device = jax.devices()[0]
    name = "".join(c if c.isalnum() else "-" for c in f"{device.platform}-{device.device_kind}")
    folder = (root or cache_root()) / "jax" / jaxlib.__version__ / name
    if not _is_ours(folder, root or cache_root()):
        return None
    jax.config.update("jax_compilation_cache_dir", str(folder))
    jax.config.update("jax_compilation_cache_max_size", _LARGEST_BYTES)
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.1)
    jax.config.update("jax_persistent_cache_min_entry_size_bytes", 0)
    return folder


def _foreign_file(folder: Path) -> Path | None:
    """A file below a folder that is another user's: the folder was open to others once."""
    for place, folders, files in os.walk(folder):
        for name in (*folders, *files):
            path = Path(place, name)
            if path.lstat().st_uid != os.getuid():
                return path
    return None


def _is_ours(folder: Path, root: Path) -> bool:
    """Whether nobody else can write to the folders from the root on; those missing are made so."""
    below = folder.relative_to(root)
    parts = [*(root / part for part in reversed(below.parents)), folder]
    try:
        root.parent.mkdir(parents=True, exist_ok=True)
        for path in parts:
            path.mkdir(exist_ok=True, mode=0o700)
            status = path.stat()
            if status.st_uid != os.getuid():
                return False
            if status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
                warnings.warn(
                    f"nothing is kept of what is compiled, for others can write to {path}: make a"
                    " folder of your own and set MIMICMILL_CACHE to it",
                    stacklevel=3,
                )
                return False
        if foreign := _foreign_file(folder):
            warnings.warn(
                f"nothing is kept of what is compiled, for {foreign} is somebody else's: delete"
                f" {root} and let it be made anew",
                stacklevel=3,
            )
            return False
        return os.access(folder, os.W_OK)
    except OSError:
        return False
