"""The command on a small clip with the demo's checkpoint: who gets keypoints in which frame."""

from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

from stages.artifacts.images import write_image
from stages.artifacts.keypoints import read_keypoints
from stages.artifacts.masks import read_labels, summarise, write_frame, write_summary
from stages.stage0_vitpose.stage import main

FIRST, SECOND, THIRD = 2, 5, 7
SIZES = [{FIRST: 80, SECOND: 40, THIRD: 20}, {FIRST: 20, SECOND: 40, THIRD: 60}, {FIRST: 70}]
"""Width of each person in pixels, frame by frame; on average they get smaller in this order."""


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    folder, seen = tmp_path / "input_masks" / "clip" / "cam01", []
    for number, sizes in enumerate(SIZES, start=1):
        stem = f"{number:05d}"
        picture = np.full((96, 160, 3), 40 * number, np.uint8)
        write_image(tmp_path / "input_images" / "clip" / "cam01" / f"{stem}.jpg", picture)
        ids, left = np.zeros((96, 160), np.uint16), 0
        for person, width in sizes.items():
            ids[10:90, left : left + width] = person
            left += width
        write_frame(folder, stem, ids, dict.fromkeys(sizes, 0.3))
        seen.append(read_labels(folder, stem))
    write_summary(folder, summarise(seen))
    return tmp_path


def run(data: Path, *flags: str) -> Result:
    return CliRunner().invoke(main, flags, env={"MIMICMILL_DATA": str(data), "COLUMNS": "200"})


def people(data: Path) -> list[set[int]]:
    folder = data / "input_2d_poses" / "clip" / "cam01"
    return [set(read_keypoints(folder, number) or {}) for number in range(1, len(SIZES) + 1)]


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        ([], [{FIRST}, {FIRST}, {FIRST}]),
        (["--top-k", "1"], [{FIRST}, {FIRST}, {FIRST}]),
        (["--multihuman"], [{FIRST, SECOND, THIRD}, {FIRST, SECOND, THIRD}, {FIRST}]),
        (["--multihuman", "--top-k", "1"], [{FIRST}, {THIRD}, {FIRST}]),
        (["--multihuman", "--top-k", "2"], [{FIRST, SECOND}, {SECOND, THIRD}, {FIRST}]),
    ],
)
def test_the_k_largest_of_each_frame_get_keypoints(
    clip: Path, flags: list[str], expected: list[set[int]]
) -> None:
    result = run(clip, *flags)
    assert result.exit_code == 0, result.output
    assert people(clip) == expected


def test_a_checkpoint_of_something_else_ends_in_one_line_and_nothing_is_done(clip: Path) -> None:
    wrong = clip / "vitpose_huge_wholebody.pth"
    wrong.write_bytes(b"<!DOCTYPE html><html>sign in</html>")
    result = run(clip, "--model-checkpoint", str(wrong))
    assert result.exit_code == 1
    assert "vitpose_huge_wholebody.pth is a web page" in result.output
    assert "done" not in result.output.replace("0 done", "") and "Traceback" not in result.output
    assert not list((clip / "input_2d_poses").rglob("pose_*.json"))
