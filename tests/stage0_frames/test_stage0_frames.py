"""Video files become numbered pictures on a true clock."""

import shutil

import numpy as np
import pytest
from PIL import Image

from stages.artifacts.images import read_image, read_times
from stages.running import ledger
from stages.stage0_frames.steady_clock import nearest_times
from tests.stage0_frames.films import HEIGHT, WIDTH, frames_stage, levels, picture, write_video


@pytest.mark.parametrize("fps", [24, 25, 30, 50, 60])
def test_a_steady_video_gives_every_frame_once_and_its_true_rate(data, fps):
    write_video(data / "videos" / "v.mp4", [i / fps for i in range(20)])
    assert frames_stage().exit_code == 0
    assert levels(data, "v") == list(range(20))
    assert read_times(data / "input_images" / "v" / "cam01").fps == fps


def test_another_rate_picks_frames_by_time(data):
    write_video(data / "videos" / "v.mp4", [i / 60 for i in range(40)])
    assert frames_stage("--fps", "30").exit_code == 0
    assert levels(data, "v") == list(range(0, 40, 2))


def test_each_tick_takes_the_nearest_frame_be_it_earlier_or_later():
    times_s = np.array([0.0, 0.09, 0.21, 0.29, 0.4])
    assert nearest_times(times_s, 10) == [0, 1, 2, 3, 4]
    assert nearest_times(np.array([0.0, 0.05, 0.16, 0.2]), 10) == [0, 1, 3]
    assert nearest_times(np.array([0.0, 0.03, 0.11, 0.2]), 10) == [0, 2, 3]


def test_a_video_of_variable_rate_keeps_true_time(data):
    # A second at 30 frames, then a second where the camera fell to 15.
    times = [i / 30 for i in range(30)] + [1 + i / 15 for i in range(15)]
    write_video(data / "videos" / "v.mp4", times)
    assert frames_stage().exit_code == 0
    times_of_levels = np.asarray(times)[levels(data, "v")]
    clock = np.arange(len(times_of_levels)) / 30
    assert len(clock) == 59
    assert np.abs(times_of_levels - clock).max() <= 1 / 30 + 1e-6


@pytest.mark.parametrize(("rotation", "corner"), [(90, "lower left"), (-90, "upper right")])
def test_a_phone_held_upright_gives_upright_pictures(data, rotation, corner):
    write_video(data / "videos" / "v.mp4", [i / 30 for i in range(5)], rotation)
    assert frames_stage().exit_code == 0
    image = read_image(data / "input_images" / "v" / "cam01" / "00002.jpg")
    assert image.shape[:2] == (WIDTH, HEIGHT)
    rows, columns = np.nonzero(image[..., 0] > 150)
    vertical = "upper" if rows.mean() < WIDTH / 2 else "lower"
    horizontal = "left" if columns.mean() < HEIGHT / 2 else "right"
    assert f"{vertical} {horizontal}" == corner


@pytest.mark.parametrize("name", ["two words", "with.dots.v1", "clip_cam02_frame_3", "прыжок_跳"])
def test_names_of_all_kinds_work(data, name):
    write_video(data / "videos" / f"{name}.mp4", [i / 30 for i in range(3)])
    assert frames_stage().exit_code == 0
    assert levels(data, name) == [0, 1, 2]


def test_bad_files_fail_with_one_line_each_and_the_good_one_is_done(data):
    good = data / "videos" / "good.mp4"
    write_video(good, [i / 30 for i in range(60)])
    content = good.read_bytes()
    (data / "videos" / "cut.mp4").write_bytes(content[: len(content) // 3])
    (data / "videos" / "empty.mp4").write_bytes(b"")
    Image.fromarray(picture(9)).save(data / "videos" / "photo.png")
    (data / "videos" / "photo.png").rename(data / "videos" / "photo.mp4")
    write_video(data / "videos" / "noframes.mp4", [])
    result = frames_stage()
    assert result.exit_code == 1
    reasons = {entry["video"]: (entry["outcome"], entry["reason"]) for entry in ledger.read(data)}
    assert reasons["good"][0] == "done"
    for name in ("cut", "empty", "photo", "noframes"):
        outcome, reason = reasons[name]
        assert outcome == "failed"
        assert str(data / "videos" / f"{name}.mp4") in reason
        assert "replace it" in reason
        assert "Traceback" not in result.output


def test_a_file_damaged_near_its_end_gives_the_frames_before_the_damage(data):
    path = data / "videos" / "v.mkv"
    write_video(path, [i / 30 for i in range(60)])
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * 0.8)])
    result = frames_stage()
    assert result.exit_code == 0
    assert 5 < len(levels(data, "v")) < 60


@pytest.mark.parametrize("is_link", [False, True])
def test_a_shorter_second_extraction_leaves_no_old_frames(data, tmp_path_factory, is_link):
    if is_link:  # As where results are kept on another disk.
        (data / "input_images" / "v").mkdir(parents=True)
        elsewhere = tmp_path_factory.mktemp("scratch")
        (data / "input_images" / "v" / "cam01").symlink_to(elsewhere)
    write_video(data / "videos" / "v.mp4", [i / 30 for i in range(20)])
    frames_stage()
    frames_stage("--fps", "15")
    assert levels(data, "v") == list(range(0, 20, 2))


def test_an_empty_folder_exits_with_2_and_says_so(data):
    result = frames_stage()
    assert result.exit_code == 2
    assert "no videos here" in result.output


def test_two_files_of_one_name_are_refused(data):
    for suffix in ("mp4", "mkv"):
        write_video(data / "videos" / f"v.{suffix}", [0, 1 / 30])
    result = frames_stage()
    assert result.exit_code == 1
    assert "v.mp4 is left out: another file has the name 'v' too; rename it" in result.output


def test_the_list_says_each_videos_padded_length_at_the_rate_asked_for(data):
    write_video(data / "videos" / "long.mp4", [index / 30 for index in range(150)])
    write_video(data / "videos" / "short.mp4", [index / 30 for index in range(30)])
    (data / "videos" / "zero.mp4").write_bytes(b"")
    for flags, lengths in (((), ["200", "100", "100"]), (("--fps", "10"), ["100", "100", "100"])):
        listed = [line.split("\t") for line in frames_stage("--list", *flags).output.splitlines()]
        assert [line[0] for line in listed] == ["long", "short", "zero"]
        assert [line[1] for line in listed] == lengths


def test_frames_without_a_record_that_are_far_fewer_than_the_video_has_are_made_again(data):
    write_video(data / "videos" / "v.mp4", [i / 30 for i in range(20)])
    assert frames_stage().exit_code == 0
    folder = data / "input_images" / "v" / "cam01"
    shutil.rmtree(data / ".done")
    assert "made elsewhere; --no-skip" in frames_stage("--list").output
    (folder / "00020.jpg").unlink()
    assert "not whole: 19 of 20 frames" in frames_stage("--list").output
    (folder / "frames.json").unlink()
    assert "made elsewhere; --no-skip" in frames_stage("--list").output
    for number in range(8, 20):
        (folder / f"{number:05d}.jpg").unlink()
    assert "not whole: 7 of 20 frames" in frames_stage("--list").output
