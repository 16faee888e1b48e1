"""`make dataset RUNNER=docker` leaves what `make dataset RUNNER=local` does."""

import json
import re
from pathlib import Path

import h5py
import numpy as np
import pytest

from tests.containers.conftest import CLIPS, STRANGER, make, strangers
from tests.pipeline.commands import CHAIN

# Files about the run itself, not results of it.
ABOUT_THE_RUN = re.compile(r"\.done/|logs/|runs\.jsonl")


def results(data: Path) -> set[str]:
    files = (str(path.relative_to(data)) for path in data.rglob("*") if path.is_file())
    return {file for file in files if not ABOUT_THE_RUN.match(file)}


def motions(data: Path) -> dict[str, dict[str, np.ndarray]]:
    """Arrays of the robots' motions, by folder."""
    found = {}
    for path in sorted(data.glob("output_calib_mesh/*/retarget_poses_g1.h5")):
        with h5py.File(path) as file:
            arrays = {name: file[name][()] for name in ("root_pos", "link_pos", "joints")}
        found[path.parent.name] = arrays
    return found


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


def test_containers_move_the_robot_alike(contained, continued):
    assert continued.exit_code == 0, continued.output[-3000:]
    ours, theirs = motions(contained.data), motions(continued.data)
    assert len(ours) == len(CLIPS) and ours.keys() == theirs.keys()
    for name, motion in ours.items():
        np.testing.assert_allclose(motion["root_pos"], theirs[name]["root_pos"], atol=0.005)
        np.testing.assert_allclose(motion["link_pos"], theirs[name]["link_pos"], atol=0.02)


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
