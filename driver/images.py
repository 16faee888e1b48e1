"""`make images` and `make sif`: the images of stages, and files of them for Apptainer."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path

from driver import commands, processes
from driver.checks import runners
from driver.checks.check import ask, require
from driver.settings import Settings, UsageError

SCRATCH_PER_IMAGE = 2.5
"""Space that building a .sif file takes, over the image's size."""


def build(settings: Settings, names: list[str]) -> int:
    """Builds images of stages and readers. Raises UsageError where no engine answers."""
    if not settings.dry_run:
        require(runners.engine_checks())
    version = re.search(r'^version = "(.*)"', Path("pyproject.toml").read_text(), re.MULTILINE)
    commit = ask("git", "rev-parse", "--short", "HEAD")
    command = [
        "env",
        f"MIMICMILL_VERSION={version[1] if version else ''}",
        f"MIMICMILL_COMMIT={commit.text if commit.good else ''}",
        *commands.compose(settings),
        "build",
        *names,
    ]
    if settings.dry_run:
        processes.show(command)
        return 0
    return processes.run(command)


def make_sif_files(settings: Settings, names: list[str]) -> int:
    """Makes .sif files of images. Raises UsageError where an image or something else is missing."""
    if settings.dry_run:
        for name in names:
            processes.show(_sif_command(settings, name))
        return 0
    require([runners.installed(settings.apptainer)])
    require(runners.engine_checks())
    require([runners.images(settings, names)])
    settings.sif.mkdir(parents=True, exist_ok=True)
    for name in names:
        if code := _make_sif(settings, name):
            return code
    return 0


def _make_sif(settings: Settings, name: str) -> int:
    file, command = commands.sif_file(settings, name), _sif_command(settings, name)
    image = commands.image(settings, name)
    size = int(ask("docker", "image", "inspect", "--format", "{{.Size}}", image).text)
    scratch = Path(os.environ.get("APPTAINER_TMPDIR") or "/tmp")
    scratch.mkdir(parents=True, exist_ok=True)
    _require_space(scratch, SCRATCH_PER_IMAGE * size, "set APPTAINER_TMPDIR")
    _require_space(settings.sif, size, "set SIF")
    part = Path(command[-2])
    try:
        code = processes.run(command)
        if code == 0:
            part.replace(file)
            print(f"{file}: {file.stat().st_size // 10**6} MB", flush=True)
    finally:
        if part.exists():
            part.unlink()
    return code


def _sif_command(settings: Settings, name: str) -> list[str]:
    file = commands.sif_file(settings, name)
    packed = ["--mksquashfs-args", "-comp zstd -Xcompression-level 3"]
    image = f"docker-daemon:{commands.image(settings, name)}"
    quiet = ["--quiet", "build", "--force", "--disable-cache"]
    return [settings.apptainer, *quiet, *packed, f"{file}.{os.getpid()}.part", image]


def _require_space(folder: Path, needed: float, remedy: str) -> None:
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise UsageError(
            f"{folder} has {free // 10**6} MB free, {needed / 1e6:.0f} are needed: {remedy} to a"
            " folder with more"
        )
