"""Files appear whole, and what killed writers left can be cleared away."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from stages.artifacts.atomic import remove_leftovers, replacing, write_text
from tests.pipeline.commands import REPOSITORY


def killed_while_writing(path: Path) -> Path:
    """The file that a killed process leaves behind."""
    script = (
        "import os, pathlib, sys; from stages.artifacts.atomic import replacing\n"
        "with replacing(pathlib.Path(sys.argv[1])) as path:\n"
        "    path.write_text('half'); os.kill(os.getpid(), 9)"
    )
    before = set(path.parent.glob(".*")) if path.parent.exists() else set()
    subprocess.run([sys.executable, "-c", script, path], cwd=REPOSITORY)
    (left,) = set(path.parent.glob(".*")) - before
    return left


def test_a_file_that_fails_leaves_the_older_one(tmp_path):
    write_text(tmp_path / "a.txt", "old")
    with pytest.raises(ValueError), replacing(tmp_path / "a.txt") as path:
        path.write_text("new")
        raise ValueError
    assert (tmp_path / "a.txt").read_text() == "old"
    assert os.listdir(tmp_path) == ["a.txt"]


@pytest.mark.parametrize("name", ["a.h5", "[a]*.h5", "é" * 120 + ".h5"])
def test_leftovers_of_a_file_go_and_those_of_its_neighbours_stay(tmp_path, name):
    left = killed_while_writing(tmp_path / name)
    other = killed_while_writing(tmp_path / f"b{name[1:]}")
    assert not (tmp_path / name).exists()
    remove_leftovers(tmp_path / name)
    assert other.exists() and not left.exists()


def test_leftovers_anywhere_in_a_folder_go(tmp_path):
    write_text(tmp_path / "video" / "whole.json", "{}")
    killed_while_writing(tmp_path / "video" / "data" / "a.json")
    remove_leftovers(tmp_path / "video")
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["whole.json"]
