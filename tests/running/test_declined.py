"""A stage may leave videos to another one: no failure, and remembered."""

from dataclasses import dataclass
from pathlib import Path

from stages.running import DeclinedError, InputPaths, Processed, VideoError
from tests.running.copy_stage import CopyStage
from tests.running.runs import go, outcomes, reasons


@dataclass(kw_only=True)
class PickyStage(CopyStage):
    """Leaves b to another stage if it may."""

    may: bool = True

    @property
    def may_decline(self) -> bool:
        return self.may

    def process(self, video: str, inputs: InputPaths) -> Processed:
        if inputs["text"].read_text() != "text b":
            return super().process(video, inputs)
        raise DeclinedError("left to another") if self.may else VideoError("cannot")


def picky(data: Path, may: bool = True) -> PickyStage:
    return PickyStage(texts_dir=data / "input", copies_dir=data / "output", may=may)


def test_a_declined_video_is_no_failure_and_says_why(data):
    code, entries = go(data, picky(data))
    assert code == 0
    assert outcomes(entries) == {"a": "done", "b": "declined", "c": "done"}
    assert reasons(entries)["b"] == "left to another"


def test_it_is_not_asked_again_until_its_input_changes(data):
    go(data, picky(data))
    _, entries = go(data, picky(data))
    assert outcomes(entries)["b"] == "skipped"
    assert reasons(entries)["b"] == "declined already"
    (data / "input" / "b.txt").write_text("another text")
    assert outcomes(go(data, picky(data))[1])["b"] == "done"


def test_what_was_made_of_it_before_goes(data):
    (data / "input" / "b.txt").write_text("another text")
    go(data, picky(data))
    assert (data / "output" / "b.txt").exists()
    (data / "input" / "b.txt").write_text("text b")
    assert outcomes(go(data, picky(data))[1])["b"] == "declined"
    assert not (data / "output" / "b.txt").exists()


def test_without_another_stage_it_fails(data):
    go(data, picky(data))
    code, entries = go(data, picky(data, may=False))
    assert code == 1
    assert outcomes(entries)["b"] == "failed"
