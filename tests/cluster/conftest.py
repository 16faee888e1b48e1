"""Apptainer and its files of the images; Slurm."""

import shutil
import subprocess

import pytest

from stages import catalogue
from tests.engines import absent
from tests.pipeline.commands import REPOSITORY


@pytest.fixture(scope="session")
def apptainer() -> None:
    if shutil.which("apptainer") is None:
        absent("apptainer is not installed here")


@pytest.fixture(scope="session")
def sifs(apptainer) -> None:
    for stage in catalogue.IMAGES:
        if not (REPOSITORY / "sif" / f"{stage}-cpu.sif").exists():
            absent(f"sif/{stage}-cpu.sif is missing: make sif DEVICE=cpu")


@pytest.fixture(scope="session")
def slurm(sifs) -> None:
    try:
        subprocess.run(["sinfo"], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        absent("no Slurm answers here: ci/slurm.sh up")
