"""Apptainer and its files of the images."""

import shutil

import pytest

from tests.engines import absent
from tests.pipeline.commands import CHAIN, REPOSITORY


@pytest.fixture(scope="session")
def apptainer() -> None:
    if shutil.which("apptainer") is None:
        absent("apptainer is not installed here")


@pytest.fixture(scope="session")
def sifs(apptainer) -> None:
    for stage in CHAIN:
        if not (REPOSITORY / "sif" / f"{stage}-cpu.sif").exists():
            absent(f"sif/{stage}-cpu.sif is missing: make sif DEVICE=cpu")
