"""`make dataset RUNNER=docker` leaves what `make dataset RUNNER=local` does."""

import shutil
import subprocess
import sys

import pytest

from stages.artifacts.verdicts import FILE, read_verdicts
from tests.data_sets import assert_people_are_alike, assert_robots_move_alike, results
from tests.driver.conftest import CHAIN
from tests.engines import CLIPS, STRANGER, make, strangers


def test_both_finish(contained, local):
    assert contained.exit_code == 0, contained.output[-3000:]
    assert local.exit_code == 0, local.output[-3000:]


def test_containers_leave_the_same_files(contained, local):
    assert results(contained.data) == results(local.data)


def test_containers_see_the_same_people(contained, local):
    assert_people_are_alike(contained.data, local.data)


def test_stage_3_says_which_methods_it_uses_without_networks(contained):
    said = [line for line in contained.output.splitlines() if line.startswith("stage3-post")]
    assert said[0] == (
        "stage3-postprocess: gravity by upright edges, people and surfaces, mesh by poisson"
    )


def test_containers_move_the_robot_alike(contained, continued):
    assert continued.exit_code == 0, continued.output[-3000:]
    assert_robots_move_alike(contained.data, continued.data)


def test_everything_belongs_to_the_caller(contained):
    assert {path.stat().st_uid for path in contained.data.rglob("*")} == {STRANGER}


def test_the_results_are_judged_in_an_image_as_outside(contained, tmp_path):
    judged = read_verdicts(contained.data)
    assert set(judged.clips) == set(CLIPS)
    assert contained.output.splitlines()[-1].startswith("verdicts: ")
    outside = tmp_path / "data"
    shutil.copytree(contained.data, outside)
    (outside / FILE).unlink()
    subprocess.run([f"{sys.prefix}/bin/verdicts", "--data-dir", outside], check=True)
    for video, clip in read_verdicts(outside).clips.items():
        assert judged.clips[video].verdict == clip.verdict
        assert judged.clips[video].values == pytest.approx(clip.values, rel=1e-3, abs=1e-3)


def test_the_exact_commands_are_printed(contained):
    printed = [line for line in contained.output.splitlines() if " run --rm " in line]
    assert [line.split(" run --rm ")[1].split()[0] for line in printed] == [*CHAIN, "verdicts"]
    assert all(f"MIMICMILL_DATA={contained.data} " in line for line in printed)


@pytest.mark.parametrize("stage", ["stage2-megahunter", "stage4-retarget"])
def test_a_second_container_compiles_nothing(contained, tmp_path, stage):
    cache = strangers(tmp_path)
    misses = []
    for _ in range(2):
        code, output = make(
            stage, "RUNNER=docker", f"DATA={contained.data}", f"RUN_AS={STRANGER}:{STRANGER}",
            "ARGS=--no-skip-existing --workers 1",
            MIMICMILL_CACHE=str(cache), JAX_EXPLAIN_CACHE_MISSES="1",
        )  # fmt: skip
        assert code == 0
        misses.append(output.count("PERSISTENT COMPILATION CACHE MISS for 'jit_minimise"))
    assert misses == [1, 0]
