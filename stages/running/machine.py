"""What a run ran on and with, for the ledger."""

import platform
import resource
import sys
from importlib import metadata
from pathlib import Path

_PACKAGES = ("mimicmill", "numpy", "torch", "jax", "transformers", "sam2", "pycolmap", "open3d-cpu")


def versions() -> dict[str, str]:
    """Versions of Python and of the packages that make numbers."""
    found = {"python": platform.python_version()}
    for name in _PACKAGES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


def device() -> str:
    """The accelerator in use by an imported library, else the processor."""
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_available():
        return str(torch.cuda.get_device_name())
    jax = sys.modules.get("jax")
    if jax is not None and jax.default_backend() != "cpu":
        return str(jax.devices()[0].device_kind)
    return f"cpu ({platform.machine()})"


def reset_peak_memory() -> None:
    """Starts a new peak where the system allows it (Linux, own process)."""
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        pass  # The peak then covers the process so far, which is still an upper bound.


def peak_memory_mb() -> float:
    """Highest resident memory since the last reset, in MB."""
    try:
        for line in Path("/proc/self/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 1024
    except OSError:
        pass
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
