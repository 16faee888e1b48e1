"""`--list` says what a run would do, and does nothing."""

from pathlib import Path

from stages.running import RunOptions, run
from tests.running.copy_stage import copying
from tests.running.runs import go


def listed(data: Path, capsys, **options) -> list[list[str]]:
    capsys.readouterr()
    run(copying(data), RunOptions(list_only=True, **options))
    return [line.split("\t") for line in capsys.readouterr().out.splitlines()]


def test_new_videos_are_missing_and_finished_ones_done(data, capsys):
    go(data, pattern="a")
    rows = listed(data, capsys)
    assert rows[:2] == [["a", "0", "done", "done already"], ["b", "0", "missing", ""]]


def test_a_changed_input_is_missing_and_the_reason_is_said(data, capsys):
    go(data)
    (data / "input" / "b.txt").write_text("other")
    assert listed(data, capsys)[1] == ["b", "0", "missing", "text/input/b.txt changed"]


def test_the_bucket_is_said(data, capsys):
    (data / "input" / "b.txt").write_text("x" * 250)
    assert [line[1] for line in listed(data, capsys)] == ["0", "2", "0"]


def test_what_is_to_be_done_again_is_missing(data, capsys):
    go(data)
    assert [line[2] for line in listed(data, capsys, skip_existing=False)] == ["missing"] * 3


def test_where_nothing_matches_the_reason_is_beside_the_list(data, capsys):
    assert run(copying(data), RunOptions(list_only=True, pattern="other")) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert "none of 3 videos matches --pattern 'other'" in said.err


def test_nothing_is_processed_or_written(data, capsys):
    before = sorted(data.rglob("*"))
    assert listed(data, capsys) == [[name, "0", "missing", ""] for name in "abc"]
    assert sorted(data.rglob("*")) == before


def test_a_name_that_is_too_long_for_the_notes_on_it_is_said_and_the_others_are_listed(
    data, capsys
):
    long = "x" * 251
    go(data, pattern="a")
    (data / "input" / f"{long}.txt").write_text("text")
    *others, (name, _, state, why) = listed(data, capsys)
    assert [other[0] for other in others] == ["a", "b", "c"]
    assert (name, state) == (long, "missing") and why.endswith("give the video a shorter one")
