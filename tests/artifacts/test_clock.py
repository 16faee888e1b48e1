"""Frames lie on a steady clock, and what its rate is has one order of sources."""

import numpy as np
import pytest

from stages.artifacts.clock import ASSUMED_FPS, Clock, frame_number, read_clock
from stages.artifacts.images import TIMES_FILE, FrameTimes, write_times


def test_a_frame_s_time_follows_from_its_number():
    np.testing.assert_allclose(Clock(25.0).times_s(np.array([1, 2, 26])), [0, 0.04, 1.0])


def test_the_rate_that_stage_0_recorded_comes_first(tmp_path):
    write_times(tmp_path, FrameTimes(24.0, np.arange(3) / 24, "walk.mp4"))
    assert read_clock(tmp_path / TIMES_FILE, [1, 3], [0.0, 9.0]) == Clock(24.0)


def test_without_it_times_in_a_later_file_tell_the_rate_whatever_the_stride():
    clock = read_clock(None, [3, 5, 11], [0.2, 0.4, 1.0])
    assert clock.fps == pytest.approx(10.0)
    assert clock.remark == ""


@pytest.mark.parametrize("times_s", [[], [0.5], [0.5, 0.5]])
def test_with_neither_30_is_assumed_and_it_says_so(times_s):
    clock = read_clock(None, np.arange(1, 1 + len(times_s)), times_s)
    assert clock.fps == ASSUMED_FPS == 30.0
    assert clock.remark == "the frame rate is not recorded: taken for 30"


def test_the_number_of_a_frame_is_at_the_end_of_its_name():
    assert (frame_number("00012"), frame_number("take_2_00012")) == (12, 12)
