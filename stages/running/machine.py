"""What a run has to run on, and what it ran with, for the ledger."""

import os
import platform
import resource
import sys
from importlib import metadata
from pathlib import Path

_PACKAGES = ("mimicmill", "numpy", "torch", "jax", "transformers", "sam2", "pycolmap", "embreex")


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
    """The GPU in use by an imported library, else the processor."""
    if not has_gpu():
        return f"cpu ({platform.machine()})"
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_available():
        return str(torch.cuda.get_device_name())
    jax = sys.modules.get("jax")
    if jax is not None and jax.default_backend() != "cpu":
        return str(jax.devices()[0].device_kind)
    return f"cpu ({platform.machine()})"


def gpus() -> list[str]:
    """Numbers of the GPUs that this process may use, as `CUDA_VISIBLE_DEVICES` has them.

    Asks no library, which would start them up.
    """
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    if visible is not None:
        there = any(Path(device).exists() for device in ("/dev/nvidiactl", "/dev/dxg"))
        return [number for number in visible.split(",") if number not in ("", "-1")] * there
    numbers = [path.name.removeprefix("nvidia") for path in Path("/dev").glob("nvidia[0-9]*")]
    if not numbers and Path("/dev/dxg").exists():  # Windows shows one to Linux.
        numbers = ["0"]
    return sorted(numbers, key=int)


def has_gpu() -> bool:
    """Whether a driver offers a GPU."""
    return bool(gpus())


def cores() -> int:
    """Processor cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def free_memory_mb() -> float:
    """Memory that is free or can be freed, within the limit of a container or a job."""
    free = _number_in("/proc/meminfo", "MemAvailable:") / 1024
    try:
        own = Path("/proc/self/cgroup").read_text().rpartition("0::/")[2].strip()
        group = Path("/sys/fs/cgroup") / own
        limit = int((group / "memory.max").read_text())
        used = int((group / "memory.current").read_text())
    except (OSError, ValueError):  # No such limits here, or the word "max".
        return free
    cached = _number_in(group / "memory.stat", "inactive_file ")
    return min(free, (limit - used + cached) / 2**20)


def reset_peak_memory() -> None:
    """Starts a new peak where the system allows it (Linux, own process)."""
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        pass  # The peak then covers the process so far, which is still an upper bound.


def peak_memory_mb() -> float:
    """Highest resident memory since the last reset, in MB."""
    kilobytes = _number_in("/proc/self/status", "VmHWM:")
    return (kilobytes or resource.getrusage(resource.RUSAGE_SELF).ru_maxrss) / 1024


def _number_in(path: Path | str, name: str) -> int:
    """The number behind a name in one of the system's tables; 0 where it is not."""
    try:
        lines = Path(path).read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith(name)), 0)
