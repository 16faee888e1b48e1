"""The sequential run, with a small stage of the tests' own."""

import json
import os
import random
import resource
import signal
import time

import pytest

from stages.running import ledger
from stages.running.failures import one_line
from tests.running.copy_stage import copying
from tests.running.runs import go, go_and_listen, go_side_by_side, outcomes, reasons, spawn


def test_all_videos_are_processed_and_models_load_once(data):
    stage = copying(data)
    code, entries = go(data, stage)
    assert code == 0
    assert outcomes(entries) == {"a": "done", "b": "done", "c": "done"}
    assert stage.loads == 1
    assert (data / "output" / "b.txt").read_text() == "TEXT B"


def test_a_second_run_skips_everything_and_loads_nothing(data):
    go(data)
    stage = copying(data)
    code, entries = go(data, stage)
    assert code == 0
    assert set(outcomes(entries).values()) == {"skipped"}
    assert stage.loads == 0


def test_one_bad_video_fails_with_one_line_and_the_others_finish(data):
    (data / "input" / "b.txt").write_text("bad")
    code, entries = go(data)
    assert code == 1
    assert outcomes(entries) == {"a": "done", "b": "failed", "c": "done"}
    reason = next(entry["reason"] for entry in entries if entry["video"] == "b")
    assert reason == "b says bad; write something else"


def test_a_bug_leaves_its_traceback_in_the_log_and_one_line_in_the_ledger(data):
    (data / "input" / "b.txt").write_text("bug")
    code, entries = go(data)
    assert code == 1
    reason = next(entry["reason"] for entry in entries if entry["video"] == "b")
    assert "\n" not in reason
    log = data / "logs" / "stage9-copy" / "b.log"
    assert str(log) in reason
    assert "Traceback" in log.read_text()


def test_a_rerun_clears_away_what_a_killed_run_left(data):
    (data / "input" / "b.txt").write_text("die")
    spawn(data).communicate(timeout=60)
    assert list((data / "output").glob(".*.part*"))
    (data / "input" / "b.txt").write_text("live")
    assert go(data)[0] == 0
    assert not list((data / "output").glob(".*.part*"))


def test_videos_of_one_length_run_next_to_each_other(data):
    for name, length in (("a", 250), ("b", 50), ("c", 220)):
        (data / "input" / f"{name}.txt").write_text("x" * length)
    stage = copying(data)
    go(data, stage)
    assert stage.order == ["b", "a", "c"]


def test_a_run_killed_in_the_middle_of_a_write_leaves_no_half_file_and_a_rerun_finishes(data):
    (data / "input" / "b.txt").write_text("die")
    process = spawn(data)
    process.communicate(timeout=60)
    assert process.returncode == -signal.SIGKILL
    assert (data / "output" / "a.txt").read_text() == "TEXT A"
    assert not (data / "output" / "b.txt").exists()
    (data / "input" / "b.txt").write_text("live")
    code, entries = go(data)
    assert code == 0
    assert outcomes(entries) == {"a": "skipped", "b": "done", "c": "done"}


@pytest.mark.parametrize("share", [0.4, 1.0])
def test_a_run_killed_at_any_moment_leaves_whole_files_and_a_rerun_does_the_rest(data, share):
    for number in range(20):
        (data / "input" / f"v{number:02d}.txt").write_text(f"text {number}" * 500)
    began = time.monotonic()
    first = spawn(data)
    while not list((data / "output").glob("v*.txt")) and time.monotonic() - began < 60:
        time.sleep(0.005)
    time.sleep(random.Random(share).random() * share / 2)
    first.kill()
    first.communicate(timeout=60)
    for made in (data / "output").glob("*.txt"):
        assert made.read_text() == (data / "input" / made.name).read_text().upper()
    code, entries = go(data)
    assert code == 0 and set(outcomes(entries).values()) <= {"done", "skipped"}
    assert len(list((data / "output").glob("*.txt"))) == 23
    assert not list((data / "output").glob(".*.part*"))


def test_a_killed_worker_costs_one_video_and_the_others_finish(data):
    (data / "input" / "b.txt").write_text("die")
    code, entries, _ = go_side_by_side(data, workers=2)
    assert code == 1
    assert outcomes(entries) == {"a": "done", "b": "failed", "c": "done"}
    reason = next(entry["reason"] for entry in entries if entry["video"] == "b")
    assert "SIGKILL" in reason
    assert not (data / "output" / "b.txt").exists()
    (data / "input" / "b.txt").write_text("live")
    code, entries, _ = go_side_by_side(data, workers=2)
    assert code == 0
    assert outcomes(entries) == {"a": "skipped", "b": "done", "c": "skipped"}


def test_a_worker_that_dies_is_replaced_while_videos_wait(data):
    for name in "abc":
        (data / "input" / f"{name}.txt").write_text("die")
    for name in "def":
        (data / "input" / f"{name}.txt").write_text(f"a text that is longer than 100: {'x' * 100}")
    code, entries, _ = go_side_by_side(data, workers=2)
    assert code == 1
    assert outcomes(entries) == dict.fromkeys("abc", "failed") | dict.fromkeys("def", "done")


def test_three_workers_process_three_videos_at_the_same_time(data):
    for name in "abc":
        (data / "input" / f"{name}.txt").write_text("meet")
    _, entries, _ = go_side_by_side(data, workers=3)
    assert set(outcomes(entries).values()) == {"done"}


def test_workers_tell_the_parent_what_they_have_to_say(data):
    go(data)
    for name in "abc":
        (data / "input" / f"{name}.txt").write_text("new text")
    _, _, out = go_side_by_side(data, workers=2)
    for name in "abc":
        assert f"{name}: again, because" in out
        assert f"{name}: done" in out


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("kind", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_says_so_and_keeps_what_is_done(data, kind, workers):
    go(data)
    (data / "input" / "b.txt").write_text("wait")
    before = len(ledger.read(data))
    process = spawn(data, workers)
    for line in process.stdout:
        if "waiting" in line:
            break
    process.send_signal(kind)
    process.communicate(timeout=30)
    assert process.returncode == 130
    assert outcomes(ledger.read(data)[before:])["b"] == "interrupted"
    assert (data / "output" / "a.txt").read_text() == "TEXT A"
    assert (data / "output" / "b.txt").read_text() == "TEXT B"


def test_a_full_disk_is_said_in_words_and_leaves_no_half_file(data):
    (data / "input" / "b.txt").write_text("x" * 200_000)
    limit = 100_000

    def small_files() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    process = spawn(data, preexec_fn=small_files)
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "b: failed" in out
    assert "file is too large for the disk or quota" in out
    assert not (data / "output" / "b.txt").exists()
    assert (data / "output" / "c.txt").exists()


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="the system has no /dev/full")
def test_no_space_left_is_a_known_reason():
    from stages.running.failures import one_line

    with pytest.raises(OSError) as caught, open("/dev/full", "w") as full:
        full.write("x" * 10_000)
        full.flush()
    assert "the disk is full" in one_line(caught.value)


def test_missing_weights_fail_every_video_with_the_same_line(data):
    code, entries = go(data, copying(data, letters=data / "nowhere.bin"))
    assert code == 1
    assert set(reasons(entries).values()) == {f"{data / 'nowhere.bin'}: missing; put it there"}


def test_a_missing_input_names_the_file_and_the_stage_that_makes_it(data):
    (data / "videos").mkdir()
    (data / "videos" / "d.mp4").touch()
    code, entries = go(data)
    assert code == 1
    assert reasons(entries) == {
        "d": f"{data / 'input' / 'd.txt'} is missing; run stage8-type first"
    }


def test_an_input_that_another_stage_left_half_done_is_refused(data):
    stamp = data / ".done" / "stage8-type" / "b.json"
    stamp.parent.mkdir(parents=True)
    go(data)
    text = (data / ".done" / "stage9-copy" / "b.json").read_text()
    stamp.write_text(text.replace('"finished": true', '"finished": false'))
    (data / "input" / "b.txt").write_text("half")
    code, entries = go(data)
    assert code == 1
    assert outcomes(entries) == {"a": "skipped", "b": "failed", "c": "skipped"}
    assert reasons(entries)["b"] == (
        f"stage8-type has not finished {data}/input/b.txt; run it again first"
    )
    stamp.write_text(text)
    assert outcomes(go(data)[1])["b"] == "done"


def test_a_read_only_data_folder_is_one_clear_line(data):
    # Root may write anywhere, so a file stands where the folder of results should be.
    (data / "output").write_text("a file")
    code, _, out = go_and_listen(data)
    assert code == 1
    assert str(data / "output") in out


def test_no_match_lists_what_is_there_and_exits_with_2(data):
    code, _, out = go_and_listen(data, pattern="zebra")
    assert code == 2
    assert "zebra" in out
    assert "a, b, c" in out


def test_an_empty_folder_exits_with_2(tmp_path):
    code, _, out = go_and_listen(tmp_path)
    assert code == 2
    assert f"{tmp_path / 'input'}: no videos here" in out


def test_the_ledger_says_with_what_and_on_what(data):
    _, entries = go(data)
    entry = json.loads(json.dumps(entries[0]))
    assert entry["stage"] == "stage9-copy"
    assert entry["versions"]["python"].startswith("3.")
    assert entry["peak_memory_mb"] > 1
    assert entry["details"] == {"letters": 6}
    assert list(entry["weights_sha256"]) == ["letters"]
    assert len(entry["weights_sha256"]["letters"]) == 64


def test_what_steers_a_terminal_reaches_none(data):
    (data / "input" / "a.txt").rename(data / "input" / "\u202etxt.\x1b[31m.txt")
    code, _, out = go_and_listen(data)
    assert code == 0
    assert "\\u202etxt.\\x1b[31m: done" in out and not {"\x1b", "\u202e"} & set(out)
    assert one_line(ValueError("\x1b]0;x\x07\ud800")).isprintable()


def test_lines_of_the_ledger_that_are_no_entries_cost_only_themselves(data):
    with open(data / "runs.jsonl", "wb") as file:
        file.write(b"123\n[1]\n\x00\xff\n" + b"[" * 100_000 + b"\n{")
    go(data)
    assert set(outcomes(ledger.read(data))) == {"a", "b", "c"}


def test_a_line_of_the_ledger_that_a_kill_tore_costs_only_itself(data):
    (data / "runs.jsonl").write_text('{"stage": "copy", "vid')
    go(data)
    assert set(outcomes(ledger.read(data))) == {"a", "b", "c"}
