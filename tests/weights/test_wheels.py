"""Weights out of a wheel: brought once, checked, and said to be missing or damaged."""

from collections.abc import Callable
from pathlib import Path

import pytest

from stages.weights.bring import bring
from stages.weights.errors import WeightsError
from stages.weights.manifest import Checkpoint, WeightsFile
from stages.weights.remedy import require_whole
from tests.weights.tiny import CONTENT, MEMBER, sha256, write_wheel


@pytest.fixture
def wheels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with one wheel, the only place that pip looks at."""
    folder = tmp_path / "wheels"
    folder.mkdir()
    write_wheel(folder)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return folder


@pytest.fixture
def tiny(wheels: Path) -> Callable[..., Checkpoint]:
    """The checkpoint in that wheel; its source may be told otherwise."""
    (wheel,) = wheels.iterdir()

    def checkpoint(content: bytes = CONTENT, **source: object) -> Checkpoint:
        told = {
            "kind": "wheel",
            "package": "mimicmill-tiny",
            "version": "1.0",
            "python": "3.11",
            "abi": "cp311",
            "platform": "manylinux_2_28_x86_64",
            "sha256": sha256(wheel.read_bytes()),
            "members": {"network.tflite": MEMBER},
        }
        return Checkpoint(
            key="tiny",
            title="A tiny network",
            folder="tiny",
            stage="stage0-tiny",
            method="tiny",
            code="Apache-2.0",
            weights="Apache-2.0",
            files=(WeightsFile("network.tflite", len(content), sha256(content)),),
            sources=({**told, **source},),
        )

    return checkpoint


def test_a_member_of_the_wheel_is_written_and_nothing_else(tiny, tmp_path):
    assert bring(tiny(), tmp_path / "weights")
    written = [path for path in (tmp_path / "weights").rglob("*") if path.is_file()]
    assert written == [tmp_path / "weights" / "tiny" / "network.tflite"]
    assert written[0].read_bytes() == CONTENT


def test_what_is_there_whole_needs_no_wheel_any_more(tiny, wheels, tmp_path):
    checkpoint = tiny()
    bring(checkpoint, tmp_path)
    next(wheels.iterdir()).unlink()
    assert not bring(checkpoint, tmp_path)


def test_a_damaged_file_is_brought_anew(tiny, tmp_path):
    bring(tiny(), tmp_path)
    (tmp_path / "tiny" / "network.tflite").write_bytes(CONTENT[:-1] + b"X")
    assert bring(tiny(), tmp_path)
    assert (tmp_path / "tiny" / "network.tflite").read_bytes() == CONTENT


def test_another_wheel_than_the_one_that_was_meant_is_refused(tiny, tmp_path):
    with pytest.raises(WeightsError, match="not the wheel that was meant: its sha256 is"):
        bring(tiny(sha256=sha256(b"another")), tmp_path)
    assert not (tmp_path / "tiny").exists()


def test_a_member_that_is_not_in_the_wheel_is_named(tiny, tmp_path):
    with pytest.raises(WeightsError, match=r"no item named 'elsewhere\.tflite'"):
        bring(tiny(members={"network.tflite": "elsewhere.tflite"}), tmp_path)
    assert not (tmp_path / "tiny").exists()


def test_a_member_with_other_content_is_refused(tiny, tmp_path):
    with pytest.raises(WeightsError, match=r"network\.tflite came damaged"):
        bring(tiny(content=b"other weights"), tmp_path)
    assert not (tmp_path / "tiny").exists()


def test_a_package_that_pip_cannot_find_is_said(tiny, tmp_path):
    with pytest.raises(WeightsError, match=r"pip cannot download mimicmill-tiny==2\.0: .*No match"):
        bring(tiny(version="2.0"), tmp_path)


def test_a_second_source_is_taken_where_the_first_fails(tiny, tmp_path):
    good, bad = tiny().sources[0], tiny(version="2.0").sources[0]
    two = Checkpoint(**{**vars(tiny()), "sources": (bad, good)})
    assert bring(two, tmp_path)


def test_weights_in_a_folder_are_whole_missing_or_damaged(tiny, tmp_path):
    checkpoint = tiny()
    with pytest.raises(WeightsError) as error:
        require_whole(checkpoint, tmp_path)
    assert "/network.tflite is missing: " in str(error.value)
    (tmp_path / "network.tflite").write_bytes(CONTENT[:-1] + b"X")
    with pytest.raises(WeightsError, match="is damaged: sha256"):
        require_whole(checkpoint, tmp_path)
    (tmp_path / "network.tflite").write_bytes(CONTENT)
    require_whole(checkpoint, tmp_path)
