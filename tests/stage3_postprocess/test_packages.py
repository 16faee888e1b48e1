"""A PyTorch and a torchvision that do not fit are found while an image is built, not when it runs.

The libraries are the real ones; of GeoCalib only that it imports them.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from tests.pipeline.commands import REPOSITORY

CHECK = "stages.stage3_postprocess.packages"


@pytest.fixture(scope="module")
def geocalib(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of packages: one that imports what GeoCalib does, and the registry's torchvision of
    this release, which is built for CUDA."""
    folder = tmp_path_factory.mktemp("packages")
    pins = (REPOSITORY / "requirements" / "constraints.txt").read_text().splitlines()
    torchvision = next(pin for pin in pins if pin.startswith("torchvision=="))
    pip = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--target", str(folder)]
    installed = subprocess.run([*pip, torchvision], capture_output=True, text=True)
    assert installed.returncode == 0, installed.stderr
    (folder / "geocalib.py").write_text("import torchvision\n")
    return folder


def check(folder: Path | None, *packages: str) -> subprocess.CompletedProcess[str]:
    path = {"PYTHONPATH": str(folder)} if folder else {}
    return subprocess.run(
        [sys.executable, "-m", CHECK, *packages],
        cwd=REPOSITORY,
        env={**os.environ, **path},
        capture_output=True,
        text=True,
    )


@pytest.mark.skipif(torch.version.cuda is not None, reason="this PyTorch is built for CUDA")
def test_a_torchvision_of_another_build_than_pytorch_is_one_line_and_an_error(
    geocalib: Path,
) -> None:
    done = check(geocalib, "geocalib")
    assert done.returncode == 1
    assert done.stderr.startswith(
        "geocalib cannot be imported (operator torchvision::nms does not exist); PyTorch "
    )
    assert done.stderr.count("\n") == 1 and len(done.stderr) < 200


def test_a_package_that_was_not_installed_is_an_error() -> None:
    done = check(None, "geocalib")
    assert done.returncode == 1
    assert done.stderr.startswith("geocalib cannot be imported (No module named 'geocalib')")


def test_packages_that_import_are_no_error() -> None:
    assert check(None, "torch", "trimesh").returncode == 0


def test_the_build_of_stage_3_asks_for_what_it_was_given() -> None:
    recipe = (REPOSITORY / "images" / "Dockerfile").read_text()
    assert f"python -m {CHECK} ${{GEOCALIB:+geocalib}} ${{NKSR:+nksr}}" in recipe
