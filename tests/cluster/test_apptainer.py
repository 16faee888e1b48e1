"""`make dataset RUNNER=apptainer` leaves what `make dataset RUNNER=local` does."""

import shutil

import pytest

from stages.artifacts.verdicts import read_verdicts
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
    assert set(read_verdicts(made.data).clips) == set(read_verdicts(local.data).clips)


def test_it_sees_the_same_people(made, local):
    assert_people_are_alike(made.data, local.data)


def test_the_robot_moves_as_without_containers(made, tmp_path):
    assert_robots_move_alike(made.data, continue_locally(made.data, tmp_path).data)


def test_people_of_a_real_clip_are_found_by_weights_inside_the_file(sifs, real_frames, tmp_path):
    data = tmp_path / "data"
    shutil.copytree(real_frames, data)
    code, output = make(
        "stage0-blazepose", "RUNNER=apptainer", f"DATA={data}", f"CACHE={tmp_path}/cache"
    )
    assert code == 0, output
    assert "1 people, somebody in 12 of 12 frames" in output


def test_a_missing_sif_is_one_clear_line(apptainer, clips, tmp_path):
    data = with_clips(tmp_path, clips)
    code, output = make("stage0-frames", "RUNNER=apptainer", f"DATA={data}", f"SIF={tmp_path}")
    assert code == 2
    assert output.splitlines()[1] == (
        f".sif files: for cpu in {tmp_path}, missing: stage0-frames: make sif DEVICE=cpu, or set"
        " SIF to the folder of the .sif files"
    )


def test_too_little_scratch_space_is_one_clear_line(apptainer, images, small_disk, tmp_path):
    code, output = make(
        "sif", "STAGES=stage2-megahunter", f"SIF={tmp_path}", APPTAINER_TMPDIR=str(small_disk)
    )
    assert code == 2
    assert f"{small_disk} has " in output and "set APPTAINER_TMPDIR" in output
    assert not list(tmp_path.iterdir())
