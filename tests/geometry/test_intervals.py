"""Runs of True, and frames within a time of others."""

import numpy as np
import pytest

from stages.geometry.intervals import frames_within, runs_of_true


@pytest.mark.parametrize(
    ("mask", "runs"),
    [
        ([], []),
        ([0, 0], []),
        ([1, 1, 1], [(0, 3)]),
        ([1, 0, 1, 1, 0], [(0, 1), (2, 4)]),
        ([0, 1, 0, 0, 1], [(1, 2), (4, 5)]),
    ],
)
def test_runs_of_true_start_with_their_first_and_end_after_their_last(mask, runs):
    assert runs_of_true(np.array(mask, bool)) == runs


@pytest.mark.parametrize(("fps", "either_side"), [(30.0, 3), (29.97, 3), (10.0, 1), (60.0, 6)])
def test_a_tenth_of_a_second_holds_as_many_frames_as_the_rate_says(fps, either_side):
    times_s = np.arange(61) / fps
    (around,) = frames_within(times_s, times_s[30:31], 0.1)
    assert around.tolist() == [30 - either_side, 30 + either_side + 1]


def test_frames_after_a_pause_are_not_near_those_before_it():
    times_s = np.array([0.0, 0.1, 0.2, 5.0, 5.1])
    found = frames_within(times_s, times_s, 0.1)
    assert found.tolist() == [[0, 2], [0, 3], [1, 3], [3, 5], [3, 5]]
