"""Folders that runners read or write, space and memory."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from doctor.check import Check

FREE_DISK_GB = 5
"""Ten short videos: a hundred frames of one take half a gigabyte."""

WORKER_MEMORY_MB = 3000
"""As in stages.running.workers, which only the virtual environment can import."""

DEMO_WEIGHTS = Path("data/weights/demo")


def data(folder: Path) -> list[Check]:
    remedy = "put videos there, or set DATA to the folder that has videos/"
    checks = [filled("videos", folder / "videos", remedy)]
    if os.path.isdir(folder):
        free_gb = shutil.disk_usage(folder).free / 1e9
        remedy = (
            f"make room for {FREE_DISK_GB} GB (100 frames take 0.5), or move it to another disk"
        )
        disk = Check("disk", free_gb >= FREE_DISK_GB, f"{free_gb:.1f} GB free in {folder}", remedy)
        checks += [writable("data folder", folder, "DATA"), disk]
    return checks


def filled(name: str, folder: Path, remedy: str) -> Check:
    try:
        good = any(folder.iterdir())
    except OSError:  # Not there, no folder, or not to be read.
        good = False
    return Check(name, good, str(folder) if good else f"none in {folder}", remedy)


def writable(name: str, folder: Path, variable: str) -> Check:
    """Whether it can be written, or made in the closest folder that is there."""
    closest = next(path for path in [folder, *folder.absolute().parents] if os.path.exists(path))
    good = os.path.isdir(closest) and os.access(closest, os.W_OK | os.X_OK)
    found = str(folder) if good else f"{closest} cannot be written"
    return Check(name, good, found, f"change its rights, or set {variable} to another folder")


def memory(meminfo: str) -> Check:
    """meminfo: the text of /proc/meminfo."""
    free_mb = int(meminfo.split("MemAvailable:")[1].split()[0]) // 1024
    remedy = f"end other programs, a stage needs up to {WORKER_MEMORY_MB} MB"
    return Check("memory", free_mb >= WORKER_MEMORY_MB, f"{free_mb} MB free", remedy)
