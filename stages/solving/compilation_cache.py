"""JAX's persistent compilation cache, so that a second process does not compile again."""

import os
import stat
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

    The folder is readable by its owner only: whoever can write there decides what code runs.
    Returns None, and leaves the cache off, where no private folder can be made (a read-only home)
    or the folder belongs to someone else.
    """
    # Taking most of a GPU's memory ahead of use takes longer than a solve, and others' memory.
    os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")
    device = jax.devices()[0]
    name = "".join(c if c.isalnum() else "-" for c in f"{device.platform}-{device.device_kind}")
    folder = (root or cache_root()) / "jax" / jaxlib.__version__ / name
    if not _make_private(folder, root or cache_root()):
        return None
    jax.config.update("jax_compilation_cache_dir", str(folder))
    jax.config.update("jax_compilation_cache_max_size", _LARGEST_BYTES)
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.1)
    jax.config.update("jax_persistent_cache_min_entry_size_bytes", 0)
    return folder


def _make_private(folder: Path, root: Path) -> bool:
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        for path in [folder, *folder.parents]:
            if path.stat().st_uid != os.getuid():
                return False
            if path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
                path.chmod(0o700)
            if path == root:
                break
        return os.access(folder, os.W_OK)
    except OSError:
        return False
