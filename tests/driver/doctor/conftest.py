"""The doctor on a folder with a demo video, and an image that is empty but says which GPUs it is
for."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
from unittest.mock import patch

import pytest

from driver.doctor import doctor as ask_doctor
from driver.settings import read
from stages.catalogue import Entry, entry_of
from tests.engines import absent
from tests.pipeline.commands import DEMO_VIDEO, REPOSITORY

IMAGE = f"doctor-test-{os.getpid()}"
GPU_LABELS = {
    "mimicmill.compute-capabilities": "5.0 6.0 7.0 7.5 8.0 8.6 9.0",
    "mimicmill.cuda": "12.4",
}
Lines = dict[str, tuple[str, str]]
"""Word and text of every line, by name."""


def lines(output: str) -> Lines:
    """Lines of checks; others are left out."""
    words = {"ok", "no"}
    return {
        line[4:16].strip(): (line[:2], line[17:])
        for line in output.splitlines()
        if line[:2] in words and line[2:4] == "  "
    }


def doctor(data: Path, *stages: str, **variables: str | Path) -> tuple[int, Lines]:
    """Exit code and lines of the doctor, asked for these stages. Variables of the Makefile, and of
    the programs that it asks."""
    asked = {"RUNNER": "local", "DEVICE": "cpu", "DATA": data, "CACHE": data / "cache"}
    asked |= {"BIN": Path(sys.prefix) / "bin", "SIF": data / "sif", **variables}
    environment = {name: str(value) for name, value in asked.items()}
    with patch.dict(os.environ, environment), redirect_stdout(StringIO()) as said:
        code = ask_doctor(read(os.environ), [entry(stage) for stage in stages])
    return code, lines(said.getvalue())


def entry(stage: str) -> Entry:
    """Of the catalogue, or of an image that is here for a test."""
    if stage.startswith("doctor-test"):
        return Entry(stage, "", makes=(), gpu=True, memory_mb=1)
    return entry_of(stage)


@pytest.fixture(autouse=True)
def in_the_repository(monkeypatch) -> None:
    monkeypatch.chdir(REPOSITORY)


@pytest.fixture
def data(tmp_path) -> Path:
    return with_video(tmp_path / "data")


def with_video(folder: Path) -> Path:
    (folder / "videos").mkdir(parents=True)
    shutil.copy(DEMO_VIDEO, folder / "videos")
    return folder


@pytest.fixture
def nvidia_smi(tmp_path, monkeypatch) -> Callable[[str], None]:
    """Pretends an nvidia-smi that answers with the given rows, if it is asked as NVIDIA's wants."""

    def pretend(rows: str) -> None:
        program = tmp_path / "programs" / "nvidia-smi"
        program.parent.mkdir()
        program.write_text(
            '#!/bin/sh\n[ "$*" = "--query-gpu=name,compute_cap,driver_version,memory.total'
            f' --format=csv,noheader" ] && echo "{rows}"\n'
        )
        program.chmod(0o755)
        monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")

    return pretend


@pytest.fixture(scope="session")
def gpu_image(engine) -> Iterator[str]:
    """Name of a stage whose image is empty but for the labels of a CUDA image."""
    changes = [f'LABEL {name}="{value}"' for name, value in GPU_LABELS.items()]
    empty_tar = bytes(10240)
    name = f"mimicmill/{IMAGE}"
    engine.api.import_image_from_data(empty_tar, repository=name, tag="gpu", changes=changes)
    yield IMAGE
    engine.images.remove(f"{name}:gpu")


@pytest.fixture(scope="session")
def gpu_sif(gpu_image, tmp_path_factory) -> Path:
    """The folder of that image's .sif file."""
    if shutil.which("apptainer") is None:
        absent("apptainer is not installed here")
    folder = tmp_path_factory.mktemp("sif")
    image, file = f"docker-daemon:mimicmill/{IMAGE}:gpu", folder / f"{IMAGE}-gpu.sif"
    subprocess.run(["apptainer", "build", file, image], check=True, capture_output=True)
    return folder
