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
from stages.catalogue import Entry

SCRATCH_PER_IMAGE = 2.5
"""Space that building a .sif file takes, over the image's size."""


def build(settings: Settings, stages: list[Entry]) -> int:
    """Builds images. Raises UsageError where no engine answers."""
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
        *(stage.name for stage in stages),
    ]
    if settings.dry_run:
        processes.show(command)
        return 0
    return processes.run(command)


def make_sif_files(settings: Settings, stages: list[Entry]) -> int:
    """Makes .sif files of images. Raises UsageError where an image or something else is missing."""
    if settings.dry_run:
        for stage in stages:
            processes.show(_sif_command(settings, stage))
        return 0
    names = [stage.name for stage in stages]
    require([runners.installed(settings.apptainer)])
    require(runners.engine_checks())
    require([runners.images(settings, names)])
    settings.sif.mkdir(parents=True, exist_ok=True)
    for stage in stages:
        if code := _make_sif(settings, stage):
            return code
    return 0


def _make_sif(settings: Settings, stage: Entry) -> int:
    file, command = commands.sif_file(settings, stage.name), _sif_command(settings, stage)
    image = commands.image(settings, stage.name)
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


def _sif_command(settings: Settings, stage: Entry) -> list[str]:
    file = commands.sif_file(settings, stage.name)
    packed = ["--mksquashfs-args", "-comp zstd -Xcompression-level 3"]
    image = f"docker-daemon:{commands.image(settings, stage.name)}"
    quiet = ["--quiet", "build", "--force", "--disable-cache"]
    return [settings.apptainer, *quiet, *packed, f"{file}.{os.getpid()}.part", image]


def _require_space(folder: Path, needed: float, remedy: str) -> None:
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise UsageError(
            f"{folder} has {free // 10**6} MB free, {needed / 1e6:.0f} are needed: {remedy} to a"
            " folder with more"
        )
