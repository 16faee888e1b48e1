"""Which window supplies which frame."""

import numpy as np
import pytest

from stages.stage0_vimo.network.config import WINDOW
from stages.stage0_vimo.windows import pad_to_window, window_source, window_starts

Golden = dict[str, np.ndarray]


@pytest.mark.parametrize("length", [16, 17, 20, 37])
def test_window_sources_equal_the_originals(vimo_golden: Golden, length: int) -> None:
    np.testing.assert_array_equal(window_source(length), vimo_golden[f"window_source_{length}"])


def test_frames_in_the_middle_are_the_centre_of_their_window() -> None:
    source = window_source(40)
    assert (source[8:32, 1] == 8).all()
    np.testing.assert_array_equal(source.sum(axis=1), np.arange(40))


@pytest.mark.parametrize("length", [1, 2, 5, 15])
def test_a_short_track_is_stretched_to_one_window(length: int) -> None:
    index = pad_to_window(length)
    assert len(index) == WINDOW
    assert set(index) == set(range(length))
    assert (np.diff(index) >= 0).all()


def test_a_long_track_is_left_as_it_is() -> None:
    np.testing.assert_array_equal(pad_to_window(30), np.arange(30))


def test_a_track_without_a_window_is_refused() -> None:
    with pytest.raises(ValueError, match="pad it to 16"):
        window_starts(15)
