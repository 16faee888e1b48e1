"""What counts as done: the same parameters, inputs and models, by content and role."""

import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from stages import catalogue
from stages.catalogue import Entry
from stages.running.stamps import unfinished
from tests.running.copy_stage import CopyStage, copying
from tests.running.runs import go, go_and_listen, outcomes, reasons


def done_again(data: Path, **fields: object) -> dict[str, str]:
    """What a second run does, with other fields of the stage."""
    return outcomes(go(data, copying(data, **fields))[1])


def test_a_changed_parameter_is_told_and_done_again(data):
    go(data)
    _, _, out = go_and_listen(data, copying(data, times=2), pattern="a")
    assert "a: again, because times changed from 1 to 2" in out
    assert (data / "output" / "a.txt").read_text() == "TEXT ATEXT A"


def test_what_changes_no_result_makes_nothing_stale(data):
    go(data)
    assert set(done_again(data, batch_size=5, vis=True).values()) == {"skipped"}


def test_a_changed_input_is_done_again_and_the_others_are_not(data):
    go(data)
    (data / "input" / "b.txt").write_text("new text")
    code, entries = go(data)
    assert code == 0
    assert outcomes(entries) == {"a": "skipped", "b": "done", "c": "skipped"}


def test_a_touched_input_of_the_same_content_is_skipped(data):
    go(data)
    os.utime(data / "input" / "b.txt", (1, 1))
    _, entries = go(data)
    assert outcomes(entries)["b"] == "skipped"


def test_an_input_that_changed_without_a_trace_in_size_and_time_is_done_again(data):
    go(data)
    text = data / "input" / "b.txt"
    before = text.stat()
    text.write_text("tExt b")
    os.utime(text, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert done_again(data) == {"a": "skipped", "b": "done", "c": "skipped"}


def test_an_optional_input_that_comes_or_goes_is_noticed(data):
    go(data)
    (data / "notes").mkdir()
    (data / "notes" / "b.txt").write_text("!")
    assert done_again(data)["b"] == "done"
    assert (data / "output" / "b.txt").read_text() == "TEXT B!"
    (data / "notes" / "b.txt").unlink()
    assert done_again(data)["b"] == "done"


def test_a_damaged_or_lost_output_is_made_again(data):
    go(data)
    (data / "output" / "a.txt").write_text("cut")
    (data / "output" / "b.txt").unlink()
    _, entries = go(data)
    assert outcomes(entries) == {"a": "done", "b": "done", "c": "skipped"}
    assert (data / "output" / "a.txt").read_text() == "TEXT A"


def test_an_output_that_was_damaged_without_a_trace_in_its_size_is_made_again(data):
    go(data)
    (data / "output" / "a.txt").write_text("TEXT ?")
    assert done_again(data) == {"a": "done", "b": "skipped", "c": "skipped"}


def test_results_of_other_tools_are_kept_unless_told_otherwise(data):
    (data / "output").mkdir()
    (data / "output" / "a.txt").write_text("by hand")
    _, entries = go(data)
    assert outcomes(entries)["a"] == "skipped"
    assert (data / "output" / "a.txt").read_text() == "by hand"
    go(data, skip_existing=False)
    assert (data / "output" / "a.txt").read_text() == "TEXT A"


@pytest.mark.parametrize("damage", ["cut", "zeros"])
def test_results_of_other_tools_that_cannot_be_read_to_their_end_are_made_again(data, damage):
    stage = copying(data, ending=".json")
    made = data / "output" / "a.json"
    made.parent.mkdir()
    made.write_text('{"a": [1, 2, 3]}')
    assert outcomes(go(data, stage)[1])["a"] == "skipped"
    size = made.stat().st_size
    made.write_bytes(made.read_bytes()[:-2] if damage == "cut" else bytes(size))
    _, _, out = go_and_listen(data, stage, pattern="a")
    assert "a: again, because it was made elsewhere and is not whole" in out and "a.json" in out
    assert made.read_text() == "TEXT A"


@pytest.fixture(params=["moved", "copied", "named relatively", "through a longer path"])
def the_same_folder(data, request, monkeypatch) -> Path:
    """A finished folder that lies, or is named, elsewhere."""
    go(data)
    elsewhere = data.with_name("elsewhere")
    if request.param == "moved":
        return data.rename(elsewhere)
    if request.param == "copied":
        return Path(shutil.copytree(data, elsewhere, copy_function=shutil.copy))
    monkeypatch.chdir(data.parent)
    return Path("data") if request.param == "named relatively" else data / "input" / ".." / "."


def test_a_folder_is_the_same_wherever_it_lies_and_however_it_is_named(the_same_folder):
    assert set(done_again(the_same_folder).values()) == {"skipped"}


def test_models_are_the_same_wherever_they_lie_and_whatever_they_are_called(data, tmp_path):
    go(data)
    other = shutil.copy(data / "letters.bin", tmp_path / "other.bin")
    assert set(done_again(data, letters=Path(other)).values()) == {"skipped"}


def test_another_model_that_was_asked_for_makes_everything_anew(data, tmp_path):
    go(data)
    (tmp_path / "own.bin").write_bytes(b"two")
    _, entries, out = go_and_listen(data, copying(data, letters=tmp_path / "own.bin"))
    assert set(outcomes(entries).values()) == {"done"}
    assert "again, because letters changed from letters.bin" in out


def test_what_was_made_with_a_model_of_one_s_own_is_kept_when_the_default_is_another(
    data, tmp_path
):
    (tmp_path / "own.bin").write_bytes(b"two")
    go(data, copying(data, letters=tmp_path / "own.bin"))
    code, entries = go(data)
    assert code == 0
    assert set(outcomes(entries).values()) == {"skipped"}
    assert reasons(entries)["a"] == (
        "done with another letters (own.bin) than the default (letters.bin), and kept; name the one"
        " that you want, or say --no-skip-existing"
    )


@pytest.mark.parametrize("record", ["", "{}", "[1]", '{"finished": true}', "\0"])
def test_a_record_that_cannot_be_read_is_as_good_as_none_but_for_the_reason(data, record):
    go(data)
    (data / ".done" / "stage9-copy" / "a.json").write_text(record)
    _, entries, out = go_and_listen(data)
    assert outcomes(entries) == {"a": "done", "b": "skipped", "c": "skipped"}
    assert "a: again, because the record of an earlier run cannot be read" in out


def test_a_default_that_was_improved_under_its_name_makes_its_own_results_anew(data, tmp_path):
    go(data)
    (data / "letters.bin").write_bytes(b"two")
    _, entries, out = go_and_listen(data)
    assert set(outcomes(entries).values()) == {"done"}
    assert "again, because letters changed from letters.bin" in out
    own = tmp_path / "letters.bin"
    own.write_bytes(b"three")
    go(data, copying(data, letters=own))
    assert set(done_again(data).values()) == {"skipped"}


def test_what_is_stale_and_was_made_with_a_model_of_one_s_own_waits_for_a_word(data, tmp_path):
    (tmp_path / "own.bin").write_bytes(b"two")
    go(data, copying(data, letters=tmp_path / "own.bin"))
    (data / "input" / "b.txt").write_text("new")
    code, entries = go(data)
    assert code == 1
    assert outcomes(entries) == {"a": "skipped", "b": "failed", "c": "skipped"}
    assert "to be done again, because text/input/b.txt changed" in reasons(entries)["b"]
    assert "made with another letters (own.bin)" in reasons(entries)["b"]
    assert (data / "output" / "b.txt").read_text() == "TEXT B"
    assert done_again(data, letters=tmp_path / "own.bin")["b"] == "done"


def test_what_a_video_had_before_under_another_name_goes_when_it_is_made_anew(data):
    go(data)
    _, entries, out = go_and_listen(data, copying(data, ending=".text"))
    assert set(outcomes(entries).values()) == {"done"}
    assert sorted(path.name for path in (data / "output").iterdir()) == [
        "a.text",
        "b.text",
        "c.text",
    ]
    assert "a: removed output/a.txt, made before" in out


def test_a_stage_does_not_go_on_from_what_an_earlier_one_is_making_anew(data, monkeypatch):
    monkeypatch.setattr(catalogue, "earlier", lambda name, world: ("stage1-type",))
    go(data)
    done = (data / ".done" / "stage9-copy" / "b.json").read_text()
    begun = data / ".done" / "stage1-type" / "b.json"
    begun.parent.mkdir()
    begun.write_text(done.replace('"finished": true', '"finished": false'))
    code, entries = go(data)
    assert code == 1
    assert outcomes(entries) == {"a": "skipped", "b": "failed", "c": "skipped"}
    assert reasons(entries)["b"] == (
        "stage1-type has not finished b; run it and what follows it first"
    )


def test_pictures_are_drawn_of_finished_videos_too_and_are_no_results(data):
    go(data)
    stamp = (data / ".done" / "stage9-copy" / "a.json").read_text()
    (data / "input" / "b.txt").write_text("plain")
    code, entries, out = go_and_listen(data, copying(data, vis=True))
    assert code == 0
    assert outcomes(entries) == {"a": "skipped", "b": "done", "c": "skipped"}
    assert "b: no pictures: nothing to see" in out
    assert sorted(path.name for path in (data / "output" / "vis").iterdir()) == ["a.png", "c.png"]
    assert (data / ".done" / "stage9-copy" / "a.json").read_text() == stamp
    assert set(done_again(data).values()) == {"skipped"}


class PasteStage(CopyStage):
    """Makes what the other stage makes, by another method."""

    name = "stage9-paste"

    def entry(self) -> Entry:
        return replace(super().entry(), name="stage9-paste")


@pytest.fixture
def pasting(data, monkeypatch) -> Callable[[], PasteStage]:
    """The other stage; both are in the catalogue."""

    def stage() -> PasteStage:
        return PasteStage(texts_dir=data / "input", copies_dir=data / "output")

    entries = (*catalogue.STAGES, copying(data).entry(), stage().entry())
    monkeypatch.setattr(catalogue, "STAGES", entries)
    return stage


def test_what_was_made_by_another_method_is_made_anew_by_this_one_and_back(data, pasting):
    go(data)
    code, entries, said = go_and_listen(data, pasting())
    assert code == 0 and set(outcomes(entries).values()) == {"done"}
    assert "stage9-paste a: again, because stage9-copy made it" in said
    assert set(outcomes(go(data, pasting())[1]).values()) == {"skipped"}
    assert set(done_again(data).values()) == {"done"}


def test_a_method_that_was_stopped_holds_up_nobody_who_takes_the_results_of_another(
    data, pasting, monkeypatch
):
    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    stopped = pasting()
    monkeypatch.setattr(stopped, "process", stop)
    go(data, stopped)
    makers = ("stage9-copy", "stage9-paste")
    assert unfinished(data, makers, "a", "") == "stage9-paste"
    go(data)
    assert unfinished(data, makers, "a", "") == ""
