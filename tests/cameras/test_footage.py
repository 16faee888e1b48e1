"""One line says why a camera cannot be tracked; whatever a hand does with a camera is no cut."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from stages.cameras.footage import check_footage, cut_after, picture_changes
from stages.running import VideoError

VIDEOS = Path(__file__).parents[2] / "data" / "demo" / "videos"
CLIPS = ("jump_box_01", "walk_stairs_01")


def filmed(name: str, frames: int = 40) -> np.ndarray:
    """The first frames of a demo clip, at the demo's size."""
    video = cv2.VideoCapture(str(VIDEOS / f"{name}.mp4"))
    found = [cv2.cvtColor(video.read()[1], cv2.COLOR_BGR2RGB) for _ in range(frames)]
    video.release()
    return np.stack(found)


def names(pictures: np.ndarray) -> list[str]:
    return [f"{number:05d}" for number in range(1, len(pictures) + 1)]


def refused(pictures: np.ndarray) -> str:
    with pytest.raises(VideoError) as error:
        check_footage(pictures, names(pictures))
    line = str(error.value)
    assert len(line) < 200 and "\n" not in line
    return line


def test_one_frame_is_too_few() -> None:
    assert "only frame 00001 is there" in refused(filmed(CLIPS[0], 1))


@pytest.mark.parametrize("count", [2, 9])
def test_frames_that_are_all_the_same_are_refused(count: int) -> None:
    pictures = np.repeat(filmed(CLIPS[0], 1), count, axis=0)
    assert "all the same picture" in refused(pictures)


def test_noise_of_compression_does_not_make_another_picture() -> None:
    pictures = np.repeat(filmed(CLIPS[0], 1), 5, axis=0).astype(int)
    noise = np.random.default_rng(0).integers(-1, 2, pictures.shape)
    assert "all the same" in refused(np.clip(pictures + noise, 0, 255).astype(np.uint8))


def test_a_cut_is_named_by_its_frames() -> None:
    joined = np.concatenate([filmed(CLIPS[0], 17), filmed(CLIPS[1], 20)])
    assert "from frame 00017 to 00018: a cut" in refused(joined)


@pytest.mark.parametrize("name", CLIPS)
@pytest.mark.parametrize("stride", [1, 5])
def test_filmed_in_one_piece_passes(name: str, stride: int) -> None:
    pictures = filmed(name)[::stride]
    check_footage(pictures, names(pictures))


def test_two_different_frames_pass() -> None:
    pictures = filmed(CLIPS[0], 30)[[0, 29]]
    check_footage(pictures, names(pictures))


def test_a_whip_of_the_camera_is_no_cut() -> None:
    changes = np.array([2.0, 3.0, 12.0, 30.0, 28.0, 9.0, 2.0])
    assert cut_after(changes) is None
    assert cut_after(np.array([2.0, 3.0, 2.0, 45.0, 3.0, 2.0])) == 3


def test_changes_do_not_depend_on_size() -> None:
    pictures = filmed(CLIPS[0], 3)
    large = np.stack([cv2.resize(each, None, fx=2, fy=2) for each in pictures])
    np.testing.assert_allclose(picture_changes(large), picture_changes(pictures), atol=0.1)
