"""Files of weights as data: both kinds of PyTorch's, safetensors, and what is neither."""

import os
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from stages.weights.errors import WeightsError
from stages.weights.reading import read_safetensors, read_torch

STATE = {"weight": torch.arange(6.0).reshape(2, 3), "bias": torch.ones(2)}


def refusal(read: Callable[[Path], Any], path: Path) -> str:
    """The line with which a file is refused."""
    with pytest.raises(WeightsError) as error:
        read(path)
    said = str(error.value)
    assert "\n" not in said and len(said) < 200
    assert path.name in said
    return said


@pytest.mark.parametrize("is_archive", [True, False], ids=["since 1.6", "before 1.6"])
def test_files_of_every_pytorch_are_read(tmp_path: Path, is_archive: bool) -> None:
    path = tmp_path / "net.bin"
    torch.save({"model": STATE}, path, _use_new_zipfile_serialization=is_archive)
    read = read_torch(path)["model"]
    assert all(torch.equal(read[key], STATE[key]) for key in STATE)


@pytest.mark.parametrize(
    "number", [np.float64(0.5), np.float32(-2), np.int64(3), np.bool_(True), np.complex64(1j)]
)
@pytest.mark.parametrize("is_archive", [True, False])
def test_numpys_numbers_are_read(tmp_path: Path, number: np.generic, is_archive: bool) -> None:
    path = tmp_path / "net.pth"
    about = {"state": STATE, "best": number}
    torch.save(about, path, _use_new_zipfile_serialization=is_archive)
    read = read_torch(path)["best"]
    assert read == number and type(read) is type(number)


def test_numpys_numbers_are_known_by_their_older_name_too(tmp_path: Path) -> None:
    path = tmp_path / "net.pth"
    torch.save({"best": np.float64(0.5)}, path, _use_new_zipfile_serialization=False)
    now, older = b"numpy._core.multiarray", b"numpy.core.multiarray"
    content = path.read_bytes()
    assert now in content
    path.write_bytes(content.replace(now, older))
    assert read_torch(path)["best"] == 0.5


class Command:
    def __init__(self, words: str) -> None:
        self.words = words

    def __reduce__(self) -> Any:
        return os.system, (self.words,)


@pytest.mark.parametrize(
    ("more", "named"),
    [
        (np.zeros(3), "_reconstruct"),
        (np.str_("words"), "no number"),
        (Path("somewhere"), "Posix"),
        (np.dtype("V8"), "no number"),
    ],
    ids=["array", "text", "path", "void"],
)
def test_nothing_else_is_read(tmp_path: Path, more: Any, named: str) -> None:
    path = tmp_path / "net.pth"
    torch.save({"state": STATE, "more": more}, path)
    said = refusal(read_torch, path)
    assert "not loaded" in said and "weights_only" not in said
    assert named in said


@pytest.mark.parametrize("is_archive", [True, False])
def test_what_a_file_would_run_is_named_and_not_run(tmp_path: Path, is_archive: bool) -> None:
    path, mark = tmp_path / "net.pth", tmp_path / "was here"
    more = Command(f"touch '{mark}'")
    torch.save({"state": STATE, "more": more}, path, _use_new_zipfile_serialization=is_archive)
    assert "posix.system" in refusal(read_torch, path)
    assert not mark.exists()


def test_a_plain_pickle_is_no_checkpoint(tmp_path: Path) -> None:
    path = tmp_path / "net.pth"
    path.write_bytes(pickle.dumps({"weight": [1.0]}, protocol=2))
    assert "is damaged or no checkpoint" in refusal(read_torch, path)


def truncated(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


@pytest.mark.parametrize("is_archive", [True, False])
def test_a_file_of_pytorch_that_is_cut_short_is_named(tmp_path: Path, is_archive: bool) -> None:
    path = tmp_path / "net.pth"
    torch.save(STATE, path, _use_new_zipfile_serialization=is_archive)
    truncated(path)
    assert "cut short" in refusal(read_torch, path) or not is_archive


def test_a_safetensors_file_that_is_cut_short_anywhere_is_named(tmp_path: Path) -> None:
    path = tmp_path / "net.safetensors"
    save_file(STATE, path)
    whole = path.read_bytes()
    for size in (9, 60, len(whole) - 1):
        path.write_bytes(whole[:size])
        assert "is cut short" in refusal(read_safetensors, path)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is empty"),
        (b"<!DOCTYPE html><html>sign in</html>", "is a web page"),
        (b"\n  <HTML><head>", "is a web page"),
        (b"version https://git-lfs.github.com/spec/v1\noid", "is a pointer of Git LFS"),
        (b"no weights at all, only words" * 10, "is "),
    ],
    ids=["empty", "page", "shouted page", "pointer", "words"],
)
@pytest.mark.parametrize(
    ("read", "name"), [(read_torch, "net.pth"), (read_safetensors, "net.safetensors")]
)
def test_what_is_no_weights_is_said(
    tmp_path: Path, content: bytes, said: str, read: Callable[[Path], Any], name: str
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    assert f"{name} {said}" in refusal(read, path)


@pytest.mark.parametrize("read", [read_torch, read_safetensors])
def test_a_missing_file_and_a_folder_are_said(tmp_path: Path, read: Callable[[Path], Any]) -> None:
    assert "is missing: put the right one there" in refusal(read, tmp_path / "net.pth")
    (tmp_path / "net.pth").mkdir()
    assert "is a folder" in refusal(read, tmp_path / "net.pth")
    wanted = "`make weights CHECKPOINTS=sam2-tiny WEIGHTS=..."
    deep = tmp_path / ("d" * 200)
    assert wanted in refusal(read, deep / "sam2.1_hiera_tiny.pt")
