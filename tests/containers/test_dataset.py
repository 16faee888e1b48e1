"""`make dataset RUNNER=docker` leaves what `make dataset RUNNER=local` does."""

import json
import re
from pathlib import Path

import h5py
import numpy as np
import pytest

from stages.running import ledger
from tests.containers.conftest import CLIPS, STRANGER, make
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


def test_containers_move_the_robot_alike(contained, local):
    ours, theirs = motions(contained.data), motions(local.data)
    assert len(ours) == len(CLIPS) and ours.keys() == theirs.keys()
    for name, motion in ours.items():
        assert np.abs(motion["root_pos"] - theirs[name]["root_pos"]).max() < 0.02
        assert np.abs(motion["link_pos"] - theirs[name]["link_pos"]).mean() < 0.01
        assert np.abs(motion["joints"] - theirs[name]["joints"]).mean() < 0.05


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
def test_a_fresh_container_compiles_nothing(contained, cache, stage):
    code, output = make(
        stage, "RUNNER=docker", f"DATA={contained.data}", f"RUN_AS={STRANGER}:{STRANGER}",
        "ARGS=--no-skip-existing --workers 1", MIMICMILL_CACHE=str(cache),
        JAX_EXPLAIN_CACHE_MISSES="1", JAX_LOGGING_LEVEL="WARNING",
    )  # fmt: skip
    assert code == 0
    entries = [entry for entry in ledger.read(contained.data) if entry["stage"] == stage]
    assert [entry["outcome"] for entry in entries[-len(CLIPS) :]] == ["done"] * len(CLIPS)
    assert "PERSISTENT COMPILATION CACHE MISS for 'jit_minimise" not in output
    assert json.dumps(entries)
