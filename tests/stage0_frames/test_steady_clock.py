"""Rounded, bunched, torn and stretched stamps come out on the clock that they were filmed on."""

import numpy as np
import pytest

from stages.artifacts.images import read_times
from stages.running import ledger
from stages.stage0_frames.steady_clock import closed, usual_rate
from tests.stage0_frames.films import frames_stage, levels, steady, write_video


def times(data):
    return read_times(data / "input_images" / "v" / "cam01")


@pytest.mark.parametrize("fps", [24000 / 1001, 25, 30000 / 1001, 30, 50, 60, 120])
def test_stamps_in_whole_milliseconds_give_the_true_rate(data, fps):
    write_video(data / "videos" / "v.mkv", steady(60, fps))
    assert frames_stage().exit_code == 0
    assert times(data).fps == pytest.approx(fps, rel=6e-4)
    assert levels(data, "v") == list(range(60))


def test_a_long_ntsc_video_is_not_taken_for_30():
    assert usual_rate(np.arange(3000) * 1001 / 30000) == pytest.approx(30000 / 1001, rel=1e-9)


@pytest.mark.parametrize(("rate", "factor"), [("240.0", 8), ("120", 4), ("6", 0.2)])
def test_the_cameras_note_of_its_capture_rate_is_true(data, rate, factor):
    note = {"com.android.capture.fps": rate}
    write_video(data / "videos" / "v.mp4", steady(20), metadata=note)
    result = frames_stage()
    found = times(data)
    assert found.fps == pytest.approx(30 * factor)
    assert found.times_s[-1] == pytest.approx(19 / (30 * factor), abs=1e-5)
    assert levels(data, "v") == list(range(20))
    assert "by the camera's note" in found.note
    assert "by the camera's note" in result.output.replace("\n", " ")


@pytest.mark.parametrize("rate", ["30.0", "33", "0", "nan", "-240", "fast"])
def test_a_note_near_the_files_rate_or_without_sense_changes_nothing(data, rate):
    note = {"com.android.capture.fps": rate}
    write_video(data / "videos" / "v.mp4", steady(20), metadata=note)
    assert frames_stage().exit_code == 0
    assert times(data).fps == 30


@pytest.mark.parametrize("apart_s", [0.001, 0.0001])
def test_stamps_in_pairs_give_the_rate_of_all(data, apart_s):
    stamps = [(index // 2) / 15 + index % 2 * apart_s for index in range(40)]
    write_video(data / "videos" / "v.mp4", stamps)
    assert frames_stage().exit_code == 0
    assert times(data).fps == 30
    assert 38 <= len(set(levels(data, "v"))) == len(levels(data, "v")) <= 40


@pytest.mark.parametrize("bunch", [2, 3, 4, 6])
def test_bunches_of_any_size_give_the_rate_of_all(bunch):
    stamps = np.array([(at // bunch) * bunch / 30 + at % bunch * 0.001 for at in range(120)])
    assert usual_rate(closed(stamps)[0]) == pytest.approx(30, rel=2e-3)


def test_a_long_hole_is_closed_and_said(data):
    write_video(data / "videos" / "v.mp4", steady(20) + [20 + time for time in steady(20)])
    frames_stage()
    assert levels(data, "v") == list(range(40))
    assert "nothing from 0.63 to 20.00 s" in times(data).note
    assert ledger.read(data)[-1]["details"] == {"holes": 1, "dropped": 0, "repeated": 0}


def test_a_short_hole_is_filled_and_counted(data):
    write_video(data / "videos" / "v.mp4", steady(10) + [0.8 + time for time in steady(10)])
    frames_stage()
    assert len(levels(data, "v")) == 34
    assert "0 frames are dropped, 14 repeated" in times(data).note
    assert ledger.read(data)[-1]["details"]["repeated"] == 14


def test_a_clock_that_starts_again_goes_on(data):
    for name in ("a", "b"):
        write_video(data / f"{name}.ts", steady(15), bf="0")
    joined = (data / "a.ts").read_bytes() + (data / "b.ts").read_bytes()
    (data / "videos" / "v.m4v").write_bytes(joined)
    frames_stage()
    assert levels(data, "v") == [*range(15), *range(15)]
    assert "its clock starts again at 0.50 s" in times(data).note


@pytest.mark.parametrize("parts", [(15, 15), (5, 30), (30, 5), (20, 5, 20), (7, 7, 7)])
def test_parts_of_any_length_follow_each_other(parts):
    stamps = np.concatenate([np.arange(length) / 30 for length in parts])
    mended, jumps = closed(stamps)
    assert [jump.at for jump in jumps] == np.cumsum(parts)[:-1].tolist()
    assert np.allclose(mended, np.arange(sum(parts)) / 30)


def test_one_wrong_stamp_moves_no_other():
    for wrong in (36000.0, -36000.0, 0.35):
        stamps = np.array(steady(30))
        stamps[12] = wrong
        mended, jumps = closed(stamps)
        assert not jumps
        assert np.abs(np.delete(mended, 12) - np.delete(steady(30), 12)).max() < 0.04


def test_stamps_in_decoding_order_are_sorted():
    scrambled = np.array(steady(40)).reshape(10, 4)[:, [0, 3, 1, 2]].ravel()
    mended, jumps = closed(scrambled)
    assert not jumps and np.allclose(mended, steady(40))


def test_uneven_stamps_make_at_most_two_pictures_a_frame():
    uneven = np.concatenate([np.arange(60) / 240, 0.25 + np.arange(59) * 0.9])
    mended, _ = closed(uneven)
    rate = usual_rate(mended)
    assert mended[-1] * rate <= 2 * len(uneven)
