"""Folders and files that runs read or write, space and memory."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from driver.checks.check import Check
from driver.settings import Settings

FREE_DISK_GB = 5
"""Ten short videos: a hundred frames of one take half a gigabyte."""

DEMO_WEIGHTS = Path("data/weights/demo")


def needs(settings: Settings) -> Iterator[Check]:
    """What is named by a variable, and read or written by every run."""
    if settings.weights:
        yield filled("weights", settings.weights, "set WEIGHTS to the folder of your checkpoints")
    if settings.body:
        good = os.path.isfile(settings.body) and os.access(settings.body, os.R_OK)
        found = str(settings.body) if good else f"{settings.body} cannot be read"
        yield Check("body", good, found, "set BODY to your body model's file")
    if settings.robots:
        yield filled("robots", settings.robots, "set ROBOTS to the folder that has g1/")
    # Compose keeps the cache in a volume, unless it is told otherwise.
    if settings.cache or settings.runner != "docker":
        yield writable("cache", settings.cache_folder, "CACHE")


def data(folder: Path) -> Iterator[Check]:
    remedy = "put videos there, or set DATA to the folder that has videos/"
    yield filled("videos", folder / "videos", remedy)
    if os.path.isdir(folder):
        yield writable("data folder", folder, "DATA")
        free_gb = shutil.disk_usage(folder).free / 1e9
        remedy = (
            f"make room for {FREE_DISK_GB} GB (100 frames take 0.5), or move it to another disk"
        )
        yield Check("disk", free_gb >= FREE_DISK_GB, f"{free_gb:.1f} GB free in {folder}", remedy)


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


def memory(meminfo: str, worker_mb: int) -> Check:
    """meminfo: the text of /proc/meminfo. worker_mb: of the hungriest stage."""
    free_mb = int(meminfo.split("MemAvailable:")[1].split()[0]) // 1024
    remedy = f"end other programs, a stage needs up to {worker_mb} MB and what its weights take"
    return Check("memory", free_mb >= worker_mb, f"{free_mb} MB free", remedy)
