"""Names and frames."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageOps

from stages.artifacts import images
from stages.artifacts.atomic import replacing
from stages.artifacts.errors import ArtifactError
from stages.artifacts.layout import WorldName, parse_world_name

VIDEO_NAMES = st.text("abcZ019_.- éß跳", min_size=1, max_size=20).filter(lambda s: s.strip("."))


@given(
    video=VIDEO_NAMES | st.sampled_from(["a_cam02", "x_frame_1_2", "v_subsample_3", "b.h5"]),
    start=st.integers(0, 999),
    end=st.integers(-1, 999),
    stride=st.integers(1, 9),
)
def test_a_world_name_is_read_back_whatever_the_video_is_called(video, start, end, stride):
    name = WorldName("sfm", video, start, end, stride)
    for stem in (name.stem, name.megahunter_stem):
        assert parse_world_name(Path("somewhere") / f"{stem}.h5") == name
        assert parse_world_name(Path("somewhere") / stem) == name


def test_other_names_are_refused_with_the_pattern():
    with pytest.raises(ArtifactError, match="_reconstruction_results_"):
        parse_world_name(Path("something.h5"))


def test_frames_come_in_the_order_of_their_numbers(tmp_path):
    for name in ("frame_00010", "frame_00002", "frame_00001"):
        images.write_image(tmp_path / f"{name}.jpg", np.zeros((8, 8, 3), np.uint8))
    found = images.list_images(tmp_path)
    assert [frame.number for frame in found] == [1, 2, 10]
    assert found[0].name == "frame_00001"


def test_endings_may_be_mixed_and_of_any_case(tmp_path):
    for name in ("00001.jpg", "00002.PNG", "00003.JPG", "00001.png"):
        Image.new("RGB", (8, 8)).save(tmp_path / name)
    found = [frame.path.name for frame in images.list_images(tmp_path)]
    assert found == ["00001.jpg", "00002.PNG", "00003.JPG"]


@pytest.mark.parametrize("suffix", ["jpg", "png"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_picture_is_turned_as_its_exif_says(tmp_path, orientation, suffix):
    stored = np.zeros((32, 48, 3), np.uint8)
    stored[:8, :24] = 255
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = tmp_path / f"00001.{suffix}"
    Image.fromarray(stored).save(path, exif=exif, quality=95)
    with Image.open(path) as image:
        expected = np.asarray(ImageOps.exif_transpose(image)).astype(int)
    assert expected.shape[:2] == ((32, 48) if orientation < 5 else (48, 32))
    assert np.abs(images.read_image(path) - expected).max() < 30


def test_sixteen_bits_become_eight(tmp_path):
    grey = np.arange(256, dtype=np.uint16).reshape(16, 16)
    Image.fromarray(grey * 257).save(tmp_path / "00001.png")
    read = images.read_image(tmp_path / "00001.png")
    assert (read == grey[..., None]).all() and read.shape == (16, 16, 3)


def test_a_folder_without_frames_names_the_stage_that_makes_them(tmp_path):
    with pytest.raises(ArtifactError, match="run stage0-frames"):
        images.list_images(tmp_path)


def test_a_damaged_picture_is_named(tmp_path):
    (tmp_path / "00001.jpg").write_bytes(b"not a picture")
    with pytest.raises(ArtifactError, match=r"00001\.jpg: not a readable picture"):
        images.read_image(tmp_path / "00001.jpg")


def test_times_come_back_and_their_absence_is_none(tmp_path):
    assert images.read_times(tmp_path) is None
    times = images.FrameTimes(24.0, np.array([0, 1 / 24]), "v.mp4")
    images.write_times(tmp_path, times)
    back = images.read_times(tmp_path)
    assert back.fps == 24
    assert np.allclose(back.times_s, times.times_s, atol=1e-6)


def test_a_failed_write_keeps_the_older_file_and_leaves_no_litter(tmp_path):
    path = tmp_path / "file.txt"
    path.write_text("old")
    with pytest.raises(RuntimeError), replacing(path) as temporary:
        temporary.write_text("half")
        raise RuntimeError
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]
