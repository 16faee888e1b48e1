"""`make dataset RUNNER=apptainer` leaves what `make dataset RUNNER=local` does."""

import pytest

from tests.data_sets import assert_people_are_alike, assert_robots_move_alike, results
from tests.engines import Made, continue_locally, make, with_clips


@pytest.fixture(scope="module")
def made(sifs, clips, tmp_path_factory) -> Made:
    """The clips, processed by Apptainer alone: no Docker engine is asked."""
    data = with_clips(tmp_path_factory.mktemp("apptainer"), clips)
    cache = tmp_path_factory.mktemp("cache")
    code, output = make(
        "dataset", "RUNNER=apptainer", f"DATA={data}", f"CACHE={cache}", DOCKER_HOST="unix:///none"
    )
    return Made(data, code, output)


def test_it_finishes_with_the_same_files(made, local):
    assert made.exit_code == 0, made.output[-3000:]
    assert results(made.data) == results(local.data)


def test_it_sees_the_same_people(made, local):
    assert_people_are_alike(made.data, local.data)


def test_the_robot_moves_as_without_containers(made, tmp_path):
    assert_robots_move_alike(made.data, continue_locally(made.data, tmp_path).data)


def test_a_missing_sif_is_one_clear_line(apptainer, tmp_path):
    code, output = make("stage0-frames", "RUNNER=apptainer", f"DATA={tmp_path}", f"SIF={tmp_path}")
    assert code == 2
    assert output.splitlines()[0] == (
        f"{tmp_path}/stage0-frames-cpu.sif is missing: make sif, or set SIF to the folder of the"
        " .sif files"
    )


def test_too_little_scratch_space_is_one_clear_line(apptainer, images, small_disk, tmp_path):
    code, output = make(
        "sif", "STAGES=stage2-megahunter", f"SIF={tmp_path}", APPTAINER_TMPDIR=str(small_disk)
    )
    assert code == 2
    assert f"{small_disk} has " in output and "set APPTAINER_TMPDIR" in output
    assert not list(tmp_path.iterdir())
