"""The contact sheet shows frames of any shape, small, with names and times."""

import numpy as np

from stages.stage0_frames.drawing import COLUMNS, LONG_SIDE_PX, picture


def frames(count, height=1080, width=1920):
    return [np.full((height, width, 3), 20 * index, np.uint8) for index in range(count)]


def test_frames_come_in_order_row_by_row():
    sheet = picture(frames(6), [f"{index:05d}" for index in range(6)], np.arange(6) / 30)
    assert sheet.shape[1] < COLUMNS * (LONG_SIDE_PX + 10)
    panel = np.array(sheet.shape[:2]) / [2, COLUMNS]
    for index in range(6):
        y, x = ((np.array(divmod(index, COLUMNS)) + 0.5) * panel).astype(int)
        assert (sheet[y, x] == 20 * index).all()


def test_portrait_frames_are_whole():
    sheet = picture(frames(5, 1920, 1080), ["1", "2", "3", "4", "5"], None)
    assert sheet.shape[0] > 2 * LONG_SIDE_PX
    assert sheet.shape[1] < COLUMNS * LONG_SIDE_PX * 0.6
