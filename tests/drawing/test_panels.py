"""Pictures of any size go together."""

import numpy as np
import pytest

from stages.drawing.panels import GAP_PX, TEXT_PX, evenly_spread, fitted, grid


def plain(height, width, value):
    return np.full((height, width, 3), value, np.uint8)


def test_portrait_and_landscape_stand_side_by_side_whole():
    portrait = plain(90, 50, 10)
    portrait[:3], portrait[-3:] = 200, 100
    panels = grid([plain(60, 80, 30), portrait], 2)
    assert panels.shape == (60 + GAP_PX, 2 * (80 + GAP_PX), 3)
    middle = panels[:, 80 + GAP_PX + GAP_PX // 2 + 40, 0]
    assert middle[GAP_PX // 2] > 150 and middle[-GAP_PX // 2 - 1] > 70
    assert (middle[10:-10] == 10).all()


def test_a_picture_keeps_its_shape_in_a_panel():
    panel = fitted(plain(20, 10, 0), 100, 100)
    dark = (panel == 0).all(-1)
    assert dark.sum() == 100 * 50
    assert dark[:, 25:75].all()


def test_rows_are_filled_up():
    panels = grid([plain(10, 10, value) for value in (0, 50, 100)], 2)
    assert panels.shape[:2] == (2 * (10 + GAP_PX), 2 * (10 + GAP_PX))
    assert (panels[-GAP_PX:, -GAP_PX:] > 200).all()


def test_titles_stand_above_their_panels():
    panels = grid([plain(40, 120, 255)], 1, ["frame 7"])
    assert panels.shape[0] > 40 + TEXT_PX
    assert (panels[:TEXT_PX] < 120).any()
    assert (panels[-40:-GAP_PX] > 200).all()


def test_no_picture_at_all_is_an_error():
    with pytest.raises(ValueError, match="no picture"):
        grid([], 3)


@pytest.mark.parametrize("count, wanted", [(100, 6), (6, 6), (3, 6), (1, 6)])
def test_positions_are_spread_from_first_to_last(count, wanted):
    found = evenly_spread(count, wanted)
    assert found[0] == 0 and found[-1] == count - 1
    assert len(set(found)) == min(count, wanted)
    assert np.ptp(np.diff(found)) <= 1 if len(found) > 2 else True
