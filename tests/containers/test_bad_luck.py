"""Killed containers, full disks, missing weights and two runs at once: what is said, what is left,
and that a rerun ends with what an undisturbed run has."""

import json
import re
import shutil
import time
from pathlib import Path

import pytest

from tests.engines import (
    CLIPS,
    STRANGER,
    make,
    resize,
    run_image,
    start,
    strangers,
    with_clips,
)

STAGE, RESULT = "stage0-vitpose", "input_2d_poses"


@pytest.fixture
def data(contained, tmp_path) -> Path:
    """The clips with their frames and masks, as other tools would leave them."""
    for folder in ("videos", "input_images", "input_masks"):
        shutil.copytree(contained.data / folder, tmp_path / "data" / folder)
    return strangers(tmp_path / "data")


@pytest.fixture
def asked(data, cache):
    """What make is asked for, one video after the other; and its environment."""
    return in_containers(data), {"MIMICMILL_CACHE": str(cache), "MIMICMILL_WORKERS": "1"}


def in_containers(data: Path) -> list[str]:
    return ["RUNNER=docker", f"DATA={data}", f"RUN_AS={STRANGER}:{STRANGER}"]


def container_at_work_on(engine, data: Path, video: str):
    """The container of the stage, once it has written something of a video."""
    deadline = time.monotonic() + 120
    while not list((data / RESULT / video).rglob("*.json")):
        assert time.monotonic() < deadline, "nothing is written"
        time.sleep(0.01)
    (found,) = (
        container
        for container in engine.containers.list()
        if str(data) in (mount.get("Source") for mount in container.attrs["Mounts"])
    )
    return found


def files(folder: Path) -> set[str]:
    found = (path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
    return {str(path) for path in found if not path.name.startswith(".")}


def assert_whole(data: Path, undisturbed: Path) -> None:
    assert files(data / RESULT) == files(undisturbed / RESULT)


def test_a_killed_container_says_so_and_a_rerun_does_only_what_is_missing(
    engine, contained, data, asked
):
    arguments, environment = asked
    process = start("dataset", *arguments, **environment)
    container_at_work_on(engine, data, "second").kill()
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 2
    said = [line for line in output.splitlines() if "killed (" in line]
    assert said == [f"{STAGE}: killed (137), perhaps out of memory; run again to go on from here"]
    assert "run --rm stage0-vimo" not in output
    left = files(data / RESULT)
    assert len(CLIPS["first"]) <= len(left) < sum(map(len, CLIPS.values()))
    assert left < files(contained.data / RESULT)
    for name in left:
        json.loads((data / RESULT / name).read_text())
    code, output = make(STAGE, *arguments, **environment)
    assert code == 0, output
    assert "first: skipped" in output and "second: done" in output
    assert "second: again, because an earlier run did not finish" in output
    assert_whole(data, contained.data)


def test_two_containers_at_once_share_the_videos(engine, contained, data, asked):
    arguments, environment = asked
    one = start(STAGE, *arguments, "ARGS=--batch-size 1", **environment)
    container = container_at_work_on(engine, data, "first")
    container.pause()  # So that it is at work on this video for as long as it takes.
    try:
        code, output = make(STAGE, *arguments, **environment)
    finally:
        container.unpause()
    output_of_one, _ = one.communicate(timeout=120)
    assert code == 2 and "Error 1" in output
    assert re.search(
        rf"first: failed in \S+ s: {STAGE} is at work on first already "
        rf"\(process \d+ on {container.id[:12]} since \S+\); run again when that has ended$",
        output,
        re.MULTILINE,
    )
    assert "second: done" in output
    assert one.returncode == 0, output_of_one
    assert "first: done" in output_of_one and "second: skipped" in output_of_one
    code, output = make(STAGE, *arguments, **environment)
    assert code == 0 and output.count(": skipped in ") == 2
    assert_whole(data, contained.data)


def test_a_full_disk_is_one_line_and_with_space_a_rerun_finishes(
    contained,
    clips,
    cache,
    small_disk,
):
    resize(small_disk, "8m")
    data = strangers(with_clips(small_disk, clips))
    environment = {"MIMICMILL_CACHE": str(cache), "MIMICMILL_WORKERS": "1"}
    code, output = make("stage0-frames", *in_containers(data), **environment)
    assert code == 2 and "Error 1" in output
    (said,) = (line for line in output.splitlines() if "second: failed" in line)
    assert "the disk is full; free space and run again, finished videos are kept" in said
    assert "first: done" in output and "Traceback" not in output
    assert len(files(data / "input_images" / "first")) == len(CLIPS["first"]) + 1
    resize(small_disk, "64m")
    code, output = make("stage0-frames", *in_containers(data), **environment)
    assert code == 0, output
    assert "first: skipped" in output and "second: done" in output
    pictures = files(contained.data / "input_images")
    assert files(data / "input_images") == pictures
    for name in pictures:
        ours, theirs = (folder / "input_images" / name for folder in (data, contained.data))
        assert ours.read_bytes() == theirs.read_bytes()


def test_a_full_cache_is_one_clear_line(images, data, small_disk):
    with pytest.raises(OSError, match="No space"), open(small_disk / "all of it", "wb") as file:
        file.write(bytes(2_000_000))
    folders = ["--volume", f"{small_disk}:/cache", "--volume", f"{data}:/data"]
    done = run_image(images["stage0-frames"], *folders)
    assert done.returncode == 2
    assert done.stderr == (
        "stage0-frames: /cache is full: free space there, or mount another folder\n"
    )


def test_a_stage_that_crashes_ends_its_container(contained, data, asked, small_disk):
    """COLMAP ends its process when a cache that still had some space is full."""
    arguments, environment = asked
    begun = time.monotonic()
    code, output = make(
        "stage1-sfm", *arguments, **environment | {"MIMICMILL_CACHE": str(strangers(small_disk))}
    )
    assert time.monotonic() - begun < 60
    assert code == 2
    assert "database or disk is full" in output
    assert (
        "stage1-sfm: ended by a signal (134), its last words are above; run again to go on from"
        " here" in output.splitlines()
    )


def test_weights_that_are_not_there_are_named(data, asked, tmp_path):
    arguments, environment = asked
    empty = tmp_path / "weights"
    empty.mkdir()
    (empty / "another.pth").touch()
    code, output = make(
        STAGE, *arguments, "ARGS=--model-checkpoint /weights/vitpose.pth", "PATTERN=first",
        f"WEIGHTS={empty}", **environment,
    )  # fmt: skip
    assert code == 2 and "Error 1" in output
    (said,) = (line for line in output.splitlines() if "first: failed" in line)
    assert "/weights/vitpose.pth is missing: put the right one there" in said
    assert "log has the traceback" not in said
