"""Two runs of one stage at once on one data folder."""

import errno
import fcntl
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from stages.artifacts import layout
from stages.running import ledger
from stages.running.locking import LockedError, held
from tests.running.runs import REPOSITORY, go, go_side_by_side, outcomes, spawn


@pytest.fixture(params=[1, 2], ids=["in turn", "by workers"])
def other(data, request) -> Iterator[subprocess.Popen]:
    """A run that stays with video b for as long as a test takes."""
    (data / "input" / "b.txt").write_text("wait")
    process = spawn(data, request.param)
    assert any("waiting" in line for line in process.stdout)
    yield process
    process.terminate()
    process.wait()


def reason(entries: list[dict], video: str) -> str:
    return next(entry["reason"] for entry in entries if entry["video"] == video)


def test_a_video_at_work_fails_in_the_second_run_and_the_others_go_on(data, other):
    code, entries, out = go_side_by_side(data, 2)
    assert code == 1
    found = outcomes(entries)
    assert found["b"] == "failed" and found["c"] in ("done", "skipped")
    assert re.fullmatch(
        r"stage9-copy is at work on b already \(process \d+ on \S+ since \S+\); "
        r"run again when that has ended",
        reason(entries, "b"),
    )
    assert reason(entries, "b") in out
    assert not (data / "output" / "b.txt").exists()


@pytest.mark.parametrize("other", [1], indirect=True)
def test_the_line_names_the_process_that_is_at_work(data, other):
    _, entries = go(data)
    assert f"(process {other.pid} on " in reason(entries, "b")


@pytest.mark.parametrize("other", [1], indirect=True)
def test_a_killed_run_leaves_no_lock_behind(data, other):
    other.kill()
    other.wait()
    (data / "input" / "b.txt").write_text("live")
    code, entries = go(data)
    assert code == 0
    assert outcomes(entries)["b"] == "done"
    assert (data / "output" / "b.txt").read_text() == "LIVE"


def test_what_the_other_run_finished_is_not_done_again(data):
    go(data)
    for _ in range(2):
        code, entries = go(data)
        assert code == 0
        assert set(outcomes(entries).values()) == {"skipped"}
    assert {path.read_text() for path in (data / ".done").rglob("*.lock")} == {""}


def test_two_runs_at_once_do_each_video_once(data):
    for number in range(40):
        (data / "input" / f"{number}.txt").write_text(f"text {number}")
    runs = [spawn(data, workers=2) for _ in range(2)]
    for process in runs:
        process.communicate(timeout=60)
    done = [entry["video"] for entry in ledger.read(data) if entry["outcome"] == "done"]
    assert len(done) == len(set(done)) == 43
    assert len((data / layout.LEDGER).read_text().splitlines()) == 2 * 43


def test_lines_wait_for_the_lock_of_the_ledger(data):
    go(data)
    _, entries = go(data)
    command = (
        "import json, sys; from pathlib import Path; from stages.running import ledger;"
        "ledger.append(Path(sys.argv[1]), ledger.Entry(**json.loads(sys.argv[2])))"
    )
    with open(data / layout.LEDGER, "a") as file:
        fcntl.lockf(file, fcntl.LOCK_EX)
        writer = subprocess.Popen(
            [sys.executable, "-c", command, str(data), json.dumps(entries[0])], cwd=REPOSITORY
        )
        with pytest.raises(subprocess.TimeoutExpired):
            writer.wait(2)
        assert len(ledger.read(data)) == 6
    assert writer.wait(30) == 0
    assert len(ledger.read(data)) == 7


def test_where_there_are_no_locks_work_goes_on_without(data, monkeypatch):
    def refuse(*_: object) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "lockf", refuse)
    code, entries = go(data)
    assert code == 0
    assert set(outcomes(entries).values()) == {"done"}


def test_a_lock_without_a_text_is_still_one(tmp_path):
    path = tmp_path / "a.lock"
    script = (
        "import fcntl, sys; file = open(sys.argv[1], 'w'); fcntl.lockf(file, fcntl.LOCK_EX);"
        "print('locked', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script, str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as owner:
        owner.stdout.readline()
        with pytest.raises(LockedError, match="another process"), held(path, "me"):
            pass
        owner.communicate()
    with held(Path(path), "me"):
        assert path.read_text() == "me"
