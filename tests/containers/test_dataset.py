"""`make dataset RUNNER=docker` leaves what `make dataset RUNNER=local` does."""

import json
import re
from pathlib import Path

import numpy as np
import pytest

from tests.containers.conftest import CLIPS, STRANGER, make, strangers
from tests.containers.motions import assert_robots_move_alike
from tests.pipeline.commands import CHAIN

# Files about the run itself, not results of it.
ABOUT_THE_RUN = re.compile(r"\.done/|logs/|runs\.jsonl")


def results(data: Path) -> set[str]:
    files = (str(path.relative_to(data)) for path in data.rglob("*") if path.is_file())
    return {file for file in files if not ABOUT_THE_RUN.match(file)}


def test_both_finish(contained, local):
    assert contained.exit_code == 0, contained.output[-3000:]
    assert local.exit_code == 0, local.output[-3000:]


def test_containers_leave_the_same_files(contained, local):
    assert results(contained.data) == results(local.data)


def test_containers_see_the_same_people(contained, local):
    paths = sorted(contained.data.glob("input_2d_poses/*/cam01/*.json"))
    assert len(paths) == sum(map(len, CLIPS.values()))
    for path in paths:
        ours, theirs = (
            json.loads((data / path.relative_to(contained.data)).read_text())["1"]["keypoints"]
            for data in (contained.data, local.data)
        )
        np.testing.assert_allclose(ours, theirs, atol=0.01)


def test_stage_3_says_which_methods_it_uses_without_networks(contained):
    said = [line for line in contained.output.splitlines() if line.startswith("stage3-post")]
    assert said[0] == (
        "stage3-postprocess: gravity by people and the surfaces around them, mesh by poisson"
    )


def test_containers_move_the_robot_alike(contained, continued):
    assert continued.exit_code == 0, continued.output[-3000:]
    assert_robots_move_alike(contained.data, continued.data)


def test_everything_belongs_to_the_caller(contained):
    assert {path.stat().st_uid for path in contained.data.rglob("*")} == {STRANGER}


def test_the_exact_commands_are_printed(contained):
    printed = [line for line in contained.output.splitlines() if " run --rm " in line]
    assert [line.split(" run --rm ")[1].split()[0] for line in printed] == CHAIN
    assert all(f"MIMICMILL_DATA='{contained.data}'" in line for line in printed)


def test_make_n_shows_the_chain(images, tmp_path):
    code, output = make("-n", "dataset", "RUNNER=docker", f"DATA={tmp_path}", "PATTERN=jump")
    assert code == 0
    assert all(f"run --rm {stage} --pattern 'jump'" in output for stage in CHAIN)


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
