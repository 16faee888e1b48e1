"""Which of several reconstructions of a video later stages go on with."""

from pathlib import Path

import numpy as np
import pytest

from stages import catalogue
from stages.artifacts.images import write_image
from stages.artifacts.layout import WorldName
from stages.running import VideoError
from stages.running.fingerprints import Fingerprint
from stages.running.reconstructions import current, names_in
from stages.running.stamps import Stamp, stamp_path, write_stamp


@pytest.fixture
def worlds(tmp_path) -> Path:
    (tmp_path / "input_sfm").mkdir()
    return tmp_path / "input_sfm"


def world(folder: Path, video: str = "jump", end: int = 4, method: str = "sfm") -> WorldName:
    name = WorldName(method, video, 0, end, 1)
    folder.mkdir(exist_ok=True)
    (folder / f"{name.stem}.h5").touch()
    return name


def frames(data: Path, count: int, video: str = "jump") -> None:
    for number in range(1, count + 1):
        picture = data / "input_images" / video / "cam01" / f"{number:05d}.jpg"
        write_image(picture, np.zeros((8, 8, 3), np.uint8))


def made(data: Path, name: WorldName, frames: int, finished: bool = True) -> None:
    """As stage 1 notes that it made a reconstruction."""
    seen = Fingerprint("0", (0,))
    inputs = {f"frames/{number}": seen for number in range(frames)}
    outputs = {f"input_{name.method}/{name.stem}.h5": seen}
    path = stamp_path(data, f"stage1-{name.method}", name.video)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_stamp(path, Stamp(finished, {}, inputs, {}, {}, [], outputs))


def test_it_is_one_of_exactly_this_video(worlds):
    for video in ("jump_1", "big_jump", "jump"):
        world(worlds, video)
    assert current(worlds.parent, [worlds], "jump").video == "jump"
    assert current(worlds.parent, [worlds], "walk") is None


def test_of_a_video_that_was_cut_again_it_is_the_one_of_the_frames_that_there_are(worlds):
    old, new = world(worlds, end=5), world(worlds, end=3)
    frames(worlds.parent, 3)
    made(worlds.parent, old, 5)
    assert current(worlds.parent, [worlds], "jump") == new


def test_of_a_video_that_became_longer_it_is_the_whole_one(worlds):
    old, new = world(worlds, end=3), world(worlds, end=5)
    frames(worlds.parent, 5)
    made(worlds.parent, old, 3)
    assert current(worlds.parent, [worlds], "jump") == new


def test_of_several_ranges_it_is_the_one_that_stage_1_made_last(worlds):
    part = world(worlds, end=3)
    world(worlds, end=5)
    frames(worlds.parent, 5)
    made(worlds.parent, part, 5)
    assert current(worlds.parent, [worlds], "jump") == part


def test_several_that_nothing_tells_apart_are_named(worlds):
    world(worlds, end=3)
    world(worlds, end=4)
    with pytest.raises(VideoError, match=r"has 2 reconstructions of jump: .*; keep the one"):
        current(worlds.parent, [worlds], "jump")


def test_the_first_folder_that_has_any_counts(worlds):
    world(worlds.parent / "other", end=9)
    mine = world(worlds)
    assert current(worlds.parent, [worlds, worlds.parent / "other"], "jump") == mine


def test_a_world_method_can_be_asked_for(worlds, monkeypatch):
    monkeypatch.setattr(catalogue, "WORLD_METHODS", ("good", "fair"))
    good, fair = world(worlds, method="good"), world(worlds, method="fair")
    assert current(worlds.parent, [worlds], "jump") == good
    assert current(worlds.parent, [worlds], "jump", "fair") == fair


def test_a_method_that_has_not_finished_gives_way_to_one_that_has(worlds, monkeypatch):
    monkeypatch.setattr(catalogue, "WORLD_METHODS", ("good", "fair"))
    good, fair = world(worlds, method="good"), world(worlds, method="fair")
    made(worlds.parent, good, 4, finished=False)
    assert current(worlds.parent, [worlds], "jump") == fair


def test_foreign_files_and_pictures_are_no_reconstructions(worlds):
    name = world(worlds)
    (worlds / "megahunter_backup.h5").touch()
    (worlds / "sfm_reconstruction_results_without_a_range.h5").touch()
    (worlds / "vis" / name.stem).mkdir(parents=True)
    assert names_in(worlds) == [name]
