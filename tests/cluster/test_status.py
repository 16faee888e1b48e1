"""`make status`: the ledger, the locks and what tasks left behind; that needs no cluster."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from cluster.status import Outcome, at_work, ended_badly, failures, outcomes, rows, state, table
from cluster.submissions import Task, read_tasks, write_jobs, write_shards
from stages.artifacts import layout
from stages.running import ledger
from tests.pipeline.commands import REPOSITORY, command, demo_pictures, write_video

STAGES = ["stage0-frames", "stage0-sam2"]


@pytest.fixture
def data(tmp_path) -> Path:
    """Frames of one video; another is no video."""
    (tmp_path / "videos").mkdir()
    write_video(tmp_path / "videos" / "good.mp4", demo_pictures(range(3)))
    (tmp_path / "videos" / "broken.mp4").write_bytes(b"no video")
    command("stage0-frames", tmp_path)
    return tmp_path


@pytest.fixture
def task(tmp_path) -> Task:
    """One that has begun and left its log."""
    task = Task(tmp_path / "2026-01-01T00-00-00-stage0-sam2", "stage0-sam2", "7", 0, ("good",))
    task.folder.mkdir()
    task.log.touch()
    return task


def test_done_failed_and_what_is_left_are_counted_with_the_reason(data):
    found = rows(data, STAGES, {"good", "broken"}, {})
    header, frames, sam2 = table(found)
    (reason,) = failures(found)
    assert header.split() == ["done", "running", "waiting", "failed", "to", "do"]
    assert frames.split() == ["stage0-frames", "1", "0", "0", "1", "0"]
    assert sam2.split() == ["stage0-sam2", "0", "0", "0", "0", "2"]
    assert reason.startswith(f"stage0-frames broken: {data}/videos/broken.mp4 is not a video")


def test_a_second_success_forgets_the_failure(data):
    write_video(data / "videos" / "broken.mp4", demo_pictures(range(3)))
    command("stage0-frames", data)
    found = rows(data, STAGES[:1], {"good", "broken"}, {})
    assert [row.state for row in found] == ["done", "done"]
    assert failures(found) == []


def test_a_ledger_cut_short_is_read_up_to_there(data):
    with open(data / layout.LEDGER, "a") as file:
        file.write('{"stage": "stage0-fr')
    assert outcomes(data)["stage0-frames", "good"].outcome == "done"


@pytest.mark.parametrize("order", [("failed", "done"), ("done", "failed")])
def test_of_several_reconstructions_the_one_that_failed_counts(data, order):
    entry = ledger.Entry(**ledger.read(data)[0])
    for start, outcome in enumerate(order):
        name = f"sfm_reconstruction_results_good_cam01_frame_{start}_-1_subsample_1"
        ledger.append(data, replace(entry, stage="stage4-retarget", video=name, outcome=outcome))
    assert outcomes(data)["stage4-retarget", "good"].outcome == "failed"


def test_a_video_is_running_while_another_process_holds_its_lock(data):
    script = (
        "import sys, pathlib; from stages.running.locking import held\n"
        "with held(pathlib.Path(sys.argv[1]), 'me'): print(flush=True); input()"
    )
    path = data / ".done" / "stage0-sam2" / "good.lock"
    process = subprocess.Popen(
        [sys.executable, "-c", script, path],
        cwd=REPOSITORY, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip
    assert process.stdin is not None and process.stdout is not None
    process.stdout.readline()
    assert at_work(data, "stage0-sam2") == {"good"}
    process.communicate(b"\n")
    assert at_work(data, "stage0-sam2") == set()


def test_a_video_waits_until_its_task_has_tried_it(task):
    earlier, later = (
        Outcome("failed", "", f"{day}T00:00:00+00:00") for day in ("2025-12-31", "2026-01-02")
    )
    assert state(earlier, False, task) == state(None, False, task) == "waiting"
    assert state(later, False, task) == "failed"
    assert state(None, True, task) == "running"
    assert state(None, False, None) == "to do"


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("0", ""),
        ("2", "exit code 2, see its log"),
        ("137", "killed (137), perhaps for want of memory: more memory"),
        ("255", "exit code 255, see its log"),
    ],
)
def test_what_a_task_ended_with_is_said_in_words(task, code, said):
    task.log.with_suffix(".code").write_text(code)
    assert ended_badly(task).startswith(said)
    assert bool(ended_badly(task)) == bool(said)


def test_a_task_that_never_began_is_no_failure(task):
    task.log.unlink()
    assert ended_badly(task) == ""


def test_a_task_that_left_no_exit_code_was_ended_from_outside(task, monkeypatch):
    monkeypatch.setenv("PATH", "")
    assert ended_badly(task).startswith("ended from outside, such as by its time limit")


def test_what_is_submitted_is_found_again(data):
    folder = data / "slurm" / "now"
    write_shards(folder, [["a", "b"], ["c"]])
    write_jobs(folder, {"stage0-frames": "12", "stage0-sam2": "13"})
    found = [(task.stage, task.name, task.videos) for task in read_tasks(data)]
    assert found == [
        ("stage0-frames", "12_0", ("a", "b")),
        ("stage0-frames", "12_1", ("c",)),
        ("stage0-sam2", "13_0", ("a", "b")),
        ("stage0-sam2", "13_1", ("c",)),
    ]


def test_without_slurm_the_rest_is_said_all_the_same(data):
    write_shards(data / "slurm" / "now", [["good"]])
    write_jobs(data / "slurm" / "now", {"stage0-sam2": "13"})
    (data / "slurm" / "now" / "stage0-sam2-0.log").touch()
    done = subprocess.run(
        [sys.executable, "-m", "cluster.status", "--data", data, *STAGES],
        cwd=REPOSITORY, env={"PATH": ""}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    first, _, frames, _, failure = done.stdout.splitlines()
    # Of the task nothing is said: nobody knows whether it runs.
    assert failure.startswith("stage0-frames broken: ")
    assert first.startswith("squeue is not installed here: run this on a login node")
    assert frames.split() == ["stage0-frames", "1", "0", "0", "1", "0"]
