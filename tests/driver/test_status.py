"""`make status`: the ledger, the locks and what tasks left behind; that needs no cluster."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from driver.ledger import Outcome
from driver.slurm.submissions import Task, read_tasks, write_jobs, write_shards
from driver.status import at_work, ended_badly, failures, outcomes, rows, state, table
from stages.artifacts import layout
from tests.engines import make
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


def entry(stage: str, video: str, outcome: str = "done") -> str:
    """A line of the ledger."""
    started = "2026-01-01T00:00:00+00:00"
    line = {"stage": stage, "video": video, "outcome": outcome, "reason": "why", "started": started}
    return json.dumps(line) + "\n"


TORN = '{"stage": "stage0-frames", "video": "torn", "outc'


@pytest.mark.parametrize(
    "damage",
    [
        TORN.encode(),
        TORN.encode() + b"\n",
        b"\000\377\n",
        b'{"stage": "a", "video": "\377", "outcome"\n',
        b"123\n",
        b"[]\n",
        b"null\n",
        b'{"stage": "stage0-frames"}\n',
        b'{"stage": {}, "video": [], "outcome": 1, "reason": 2, "started": 3}\n',
        b"[" * 100_000 + b"\n",
    ],
)
def test_a_damaged_line_costs_only_itself(tmp_path, damage):
    lines = entry("stage0-frames", "a").encode(), entry("stage0-frames", "b").encode()
    (tmp_path / layout.LEDGER).write_bytes(lines[0] + damage + lines[1])
    assert set(outcomes(tmp_path)) == {("stage0-frames", "a"), ("stage0-frames", "b")}


def test_what_steers_a_terminal_is_spelt_out(tmp_path):
    line = entry("stage0-frames", "a", "failed").replace("why", "\\u001b[31m \\ud800")
    (tmp_path / "runs.jsonl").write_text(line + "\n")
    (said,) = failures(rows(tmp_path, STAGES[:1], {"a"}, {}))
    assert said == "stage0-frames a: \\x1b[31m ?"


def test_of_a_video_only_the_first_failure_has_its_reason(tmp_path):
    lines = entry("stage0-sam2", "a", "failed"), entry("stage0-frames", "a", "failed")
    (tmp_path / layout.LEDGER).write_text("".join(lines))
    assert failures(rows(tmp_path, STAGES, {"a"}, {})) == ["stage0-frames a: why"]


def test_a_folder_that_is_not_there_is_one_line(tmp_path):
    code, output = make("status", f"DATA={tmp_path}/bob's data")
    assert code == 2
    first, _make = output.splitlines()
    assert first == (
        f"the data folder {tmp_path}/bob's data is not there: set DATA to the folder that holds"
        " videos/"
    )


def test_the_videos_that_are_asked_for_are_counted_and_nothing_else(data):
    (data / "videos" / "README.txt").touch()
    (data / "videos" / "good.srt").touch()
    (data / "videos" / "bad \n.mp4").touch()
    code, output = make("status", f"DATA={data}", "RUNNER=local")
    assert code == 0
    assert output.splitlines()[2].split() == ["stage0-frames", "1", "0", "0", "1", "0"]
    assert "README" not in output and "bad \\n.mp4 is left out: its name has" in output
    _, output = make("status", f"DATA={data}", "PATTERN=GOO")
    assert output.splitlines()[2].split() == ["stage0-frames", "1", "0", "0", "0", "0"]


@pytest.mark.parametrize("folder", ["", "sfm"])
def test_a_video_is_running_while_another_process_holds_its_lock(data, folder):
    script = (
        "import sys, pathlib; from stages.running.locking import held\n"
        "with held(pathlib.Path(sys.argv[1]), 'me'): print(flush=True); input()"
    )
    path = data / ".done" / "stage0-sam2" / folder / "a.good.lock"
    process = subprocess.Popen(
        [sys.executable, "-c", script, path],
        cwd=REPOSITORY, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip
    assert process.stdin is not None and process.stdout is not None
    process.stdout.readline()
    assert at_work(data, "stage0-sam2") == {"a.good"}
    process.communicate(b"\n")
    assert at_work(data, "stage0-sam2") == set()


def test_a_video_waits_until_its_task_has_tried_it(task):
    earlier, later = (
        Outcome("", "", "failed", "", f"{day}T00:00:00+00:00")
        for day in ("2025-12-31", "2026-01-02")
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
        ("137", "killed (137), perhaps out of memory: more memory"),
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
        [sys.executable, "-m", "driver", "status"],
        cwd=REPOSITORY, env={"PATH": "", "DATA": str(data)}, capture_output=True, text=True,
        check=True,
    )  # fmt: skip
    first, _, _, frames, *_, failure = done.stdout.splitlines()
    # Of the task nothing is said: nobody knows whether it runs.
    assert failure.startswith("stage0-frames broken: ")
    assert first.startswith("squeue is not installed here: run this on a login node")
    assert frames.split() == ["stage0-frames", "1", "0", "0", "1", "0"]


def test_a_submission_is_written_whole_and_what_is_damaged_is_no_submission(tmp_path):
    write_shards(tmp_path / "slurm" / "a", [["one"]])
    write_jobs(tmp_path / "slurm" / "a", {"stage0-frames": "1"})
    write_shards(tmp_path / "slurm" / "b", [["two"]])
    (tmp_path / "slurm" / "b" / "jobs.json").write_text('{"stage0-fra')
    (tmp_path / "slurm" / "c" / "jobs.json").mkdir(parents=True)
    mine = tmp_path / "slurm" / "a" / "shard-0 copy.txt"
    mine.write_bytes(b"\xff")
    assert [task.videos for task in read_tasks(tmp_path)] == [("one",)]
    assert sorted(path.name for path in (tmp_path / "slurm" / "a").iterdir()) == [
        "jobs.json", mine.name, "shard-0.txt",
    ]  # fmt: skip
