"""How many frames are aligned together."""

import pytest

from stages.stage1_align3r.memory import most_frames, needed_bytes
from stages.stage1_align3r.pair_graph import pair_count, pair_graph

PIXELS = 512 * 288


@pytest.mark.parametrize("frames", [2, 3, 10, 40])
def test_pairs_are_counted_without_making_them(frames: int) -> None:
    assert pair_count(frames) == len(pair_graph(frames))


def test_a_hundred_and_fifty_frames_fit_into_24_gigabytes() -> None:
    assert needed_bytes(150, PIXELS, 16) < 24 * 2**30
    assert most_frames(24 * 2**30, PIXELS, 16) >= 150


def test_as_many_frames_as_fit() -> None:
    free = 40 * 2**30
    most = most_frames(free, PIXELS, 16)
    assert needed_bytes(most, PIXELS, 16) <= 0.8 * free < needed_bytes(most + 1, PIXELS, 16)
    assert most_frames(2**20, PIXELS, 16) == 1


def test_all_pairs_at_once_take_more() -> None:
    assert needed_bytes(50, PIXELS, pair_count(50)) > 3 * needed_bytes(50, PIXELS, 16)
