"""`RUNNER=apptainer` does what the other runners do, from .sif files that exist already."""

import shutil

import pytest

from tests.containers.conftest import CLIPS, Made, absent, make
from tests.containers.motions import assert_robots_move_alike
from tests.pipeline.commands import REPOSITORY

STAGES = ["stage2-megahunter", "stage4-retarget"]


@pytest.fixture(scope="module")
def apptainer() -> None:
    if shutil.which("apptainer") is None:
        absent("apptainer is not installed here")


@pytest.fixture(scope="module")
def sifs(apptainer) -> None:
    for stage in STAGES:
        if not (REPOSITORY / "sif" / f"{stage}-cpu.sif").exists():
            absent(f"sif/{stage}-cpu.sif is missing: make sif DEVICE=cpu STAGES={stage}")


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
    assert_robots_move_alike(solved.data, continued.data)


def test_every_video_was_done_again(solved):
    assert solved.output.count(": done in ") == len(STAGES) * len(CLIPS)


def test_a_missing_sif_is_one_clear_line(apptainer, tmp_path):
    code, output = make("stage0-frames", "RUNNER=apptainer", f"DATA={tmp_path}", f"SIF={tmp_path}")
    assert code == 2
    assert output.splitlines()[0] == (
        f"{tmp_path}/stage0-frames-cpu.sif is missing: make sif, or set SIF to the folder of the"
        " .sif files"
    )


def test_too_little_scratch_space_is_one_clear_line(sifs, images, small_disk, tmp_path):
    code, output = make(
        "sif", "STAGES=stage2-megahunter", f"SIF={tmp_path}", APPTAINER_TMPDIR=str(small_disk)
    )
    assert code == 2
    assert f"{small_disk} has " in output and "set APPTAINER_TMPDIR" in output
    assert not list(tmp_path.iterdir())
