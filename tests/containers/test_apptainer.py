"""`RUNNER=apptainer` does what the other runners do, from .sif files that exist already."""

import shutil
import subprocess

import numpy as np
import pytest

from tests.containers.conftest import CLIPS, Made, make
from tests.containers.test_dataset import motions
from tests.pipeline.commands import REPOSITORY

STAGES = ["stage2-megahunter", "stage4-retarget"]


@pytest.fixture(scope="module")
def sifs() -> None:
    if shutil.which("apptainer") is None:
        pytest.skip("apptainer is not installed here")
    for stage in STAGES:
        if not (REPOSITORY / "sif" / f"{stage}-cpu.sif").exists():
            pytest.skip(f"sif/{stage}-cpu.sif is missing: make sif DEVICE=cpu STAGES={stage}")


@pytest.fixture(scope="module")
def solved(sifs, continued, tmp_path_factory) -> Made:
    """What the virtual environment made, with stages 2 and 4 done again by Apptainer."""
    data = tmp_path_factory.mktemp("apptainer") / "data"
    shutil.copytree(continued.data, data)
    cache = tmp_path_factory.mktemp("cache")
    done = [
        make(stage, "RUNNER=apptainer", f"DATA={data}", f"CACHE={cache}", "ARGS=--no-skip-existing")
        for stage in STAGES
    ]
    return Made(data, max(code for code, _ in done), "".join(output for _, output in done))


def test_the_robot_moves_as_without_containers(solved, continued):
    assert solved.exit_code == 0, solved.output[-3000:]
    ours, theirs = motions(solved.data), motions(continued.data)
    assert len(ours) == len(CLIPS) and ours.keys() == theirs.keys()
    for name, motion in ours.items():
        np.testing.assert_allclose(motion["root_pos"], theirs[name]["root_pos"], atol=0.005)
        np.testing.assert_allclose(motion["link_pos"], theirs[name]["link_pos"], atol=0.02)


def test_every_video_was_done_again(solved):
    assert solved.output.count(": done in ") == len(STAGES) * len(CLIPS)


def test_a_missing_sif_is_one_clear_line(tmp_path):
    code, output = make("stage0-frames", "RUNNER=apptainer", f"DATA={tmp_path}", f"SIF={tmp_path}")
    assert code == 2
    said = output.splitlines()[0]
    assert said == (
        f"{tmp_path}/stage0-frames-cpu.sif is missing: make sif, or set SIF to the folder of the"
        " .sif files"
    ) or said.startswith("neither apptainer nor singularity is installed here")


def test_too_little_scratch_space_is_one_clear_line(sifs, images, small_disk, tmp_path):
    code, output = make(
        "sif", "STAGES=stage2-megahunter", f"SIF={tmp_path}", APPTAINER_TMPDIR=str(small_disk)
    )
    assert code == 2
    assert f"{small_disk} has " in output and "set APPTAINER_TMPDIR" in output
    assert not list(tmp_path.iterdir())


@pytest.fixture
def small_disk(tmp_path_factory):
    """A file system of one megabyte."""
    folder = tmp_path_factory.mktemp("small")
    command = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)]
    if subprocess.run(command, capture_output=True).returncode:
        pytest.skip("only root can mount a small disk")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)
