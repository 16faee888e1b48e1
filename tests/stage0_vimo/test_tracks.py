"""Runs without gaps."""

import numpy as np

from stages.stage0_vimo.tracks import runs_of

BOX = (1, 2, 30, 40)


def test_a_person_who_is_always_there_is_one_run() -> None:
    (run,) = runs_of(dict.fromkeys(range(3, 9), BOX))
    np.testing.assert_array_equal(run.frames, np.arange(3, 9))
    np.testing.assert_array_equal(run.boxes_xyxy, np.tile(np.float32(BOX), (6, 1)))


def test_a_missing_frame_splits_the_run() -> None:
    runs = runs_of({frame: (frame, 0, frame + 9, 9) for frame in (0, 1, 2, 4, 5, 9)})
    assert [list(run.frames) for run in runs] == [[0, 1, 2], [4, 5], [9]]
    assert runs[1].boxes_xyxy[:, 0].tolist() == [4, 5]


def test_nobody_has_no_runs() -> None:
    assert runs_of({}) == []
