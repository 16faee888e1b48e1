"""`--list` says what a run would do, and does nothing."""

from pathlib import Path

from rich.console import Console

from stages.running import Selection, run
from stages.running.listing import listing
from tests.running.copy_stage import CopyStage, names


def listed(data: Path, skip_existing: bool = True, pattern: str = "") -> list[list[str]]:
    selection = Selection(pattern, list_only=True)
    lines = listing(CopyStage(data), names(data), selection, data / "input", skip_existing)
    return [line.split("\t") for line in lines]


def go(data: Path, selection: Selection) -> int:
    console = Console(quiet=True)
    return run(CopyStage(data), names(data), selection, data / "input", console=console)


def test_new_videos_are_missing_and_finished_ones_done(data):
    go(data, Selection("a"))
    assert listed(data)[:2] == [["a", "0", "done", "done already"], ["b", "0", "missing", ""]]


def test_a_changed_input_is_missing_and_the_reason_is_said(data):
    go(data, Selection())
    (data / "input" / "b.txt").write_text("other")
    assert listed(data)[1] == ["b", "0", "missing", f"{data}/input/b.txt changed"]


def test_the_bucket_is_said(data):
    (data / "input" / "b.txt").write_text("x" * 250)
    assert [line[1] for line in listed(data)] == ["0", "2", "0"]


def test_what_is_to_be_done_again_is_missing(data):
    go(data, Selection())
    assert [line[2] for line in listed(data, skip_existing=False)] == ["missing"] * 3


def test_nothing_is_listed_where_nothing_matches(data):
    assert listed(data, pattern="other") == []


def test_nothing_is_processed_or_written(data, capsys):
    before = sorted(data.rglob("*"))
    assert go(data, Selection(list_only=True)) == 0
    assert capsys.readouterr().out == "a\t0\tmissing\t\nb\t0\tmissing\t\nc\t0\tmissing\t\n"
    assert sorted(data.rglob("*")) == before
