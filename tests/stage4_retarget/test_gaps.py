"""Short times without the person are bridged, at long ones the motion is split."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from bench.robustness.clips import person
from stages.artifacts.clock import Clock
from stages.stage4_retarget.contacts import Flags
from stages.stage4_retarget.gaps import Observed, parts_of, row_step
from stages.stage4_retarget.retarget import Person

FPS = 30.0


def observed(someone: Person, missing: range | tuple[int, ...]) -> Observed:
    """What is known of somebody who is not seen in some rows; row r is frame r + 1."""
    rows = np.setdiff1d(np.arange(len(someone.joints)), missing)
    flags = Flags(someone.flags.touching[rows], someone.flags.known[rows])
    return Observed(rows + 1, someone.joints[rows], someone.R_world_root[rows], flags)


def ranges(parts) -> list[tuple[int, int]]:
    return [(int(part.frame_numbers[0]), int(part.frame_numbers[-1])) for part in parts]


@pytest.mark.parametrize(
    ("fps", "bridged", "split"), [(30.0, 15, 16), (10.0, 5, 6), (60.0, 30, 31)]
)
def test_half_a_second_is_bridged_and_more_is_not(fps, bridged, split):
    someone = person("flat")
    whole = parts_of(observed(someone, range(20, 20 + bridged)), 1, Clock(fps))
    assert ranges(whole) == [(1, len(someone.joints))]
    apart = parts_of(observed(someone, range(20, 20 + split)), 1, Clock(fps))
    assert ranges(apart) == [(1, 20), (21 + split, len(someone.joints))]


def test_half_a_second_is_fewer_rows_where_the_world_has_every_third_frame():
    rows = np.arange(99)
    for gone, parts in ((5, 1), (6, 2)):
        missing = rows[(rows % 3 != 0) | ((rows >= 30) & (rows < 30 + 3 * gone))]
        assert len(parts_of(observed(person("flat"), missing), 3, Clock(FPS))) == parts


def test_single_frames_between_long_gaps_are_left_out():
    someone = person("flat")
    seen = (*range(20), 40, *range(60, 80))
    missing = np.setdiff1d(np.arange(len(someone.joints)), seen)
    assert ranges(parts_of(observed(someone, missing), 1, Clock(FPS))) == [(1, 20), (61, 80)]


def test_rows_are_uniform_and_what_was_seen_stays_as_it_is():
    someone, missing = person("flat"), (5, 6, 7, 30)
    (part,) = parts_of(observed(someone, missing), 1, Clock(FPS))
    motion, rows = part.motion, np.arange(len(someone.joints))
    np.testing.assert_array_equal(part.frame_numbers, rows + 1)
    np.testing.assert_allclose(motion.times_s, rows / FPS)
    np.testing.assert_array_equal(np.flatnonzero(motion.interpolated), missing)
    seen = ~motion.interpolated
    np.testing.assert_array_equal(motion.joints[seen], someone.joints[seen])
    np.testing.assert_array_equal(motion.R_world_root[seen], someone.R_world_root[seen])
    np.testing.assert_array_equal(motion.flags.touching[seen], someone.flags.touching[seen])
    np.testing.assert_array_equal(motion.flags.known, seen)


def test_a_world_of_every_third_frame_has_a_row_for_each_of_its_frames():
    someone = person("flat")
    rows = np.arange(len(someone.joints))
    seen = observed(someone, rows[(rows % 3 != 0) | (rows == 24) | (rows == 27)])
    assert row_step([seen], 3) == 3
    (part,) = parts_of(seen, 3, Clock(FPS))
    np.testing.assert_array_equal(part.frame_numbers, rows[::3] + 1)
    np.testing.assert_allclose(np.diff(part.motion.times_s), 3 / FPS)
    assert np.flatnonzero(part.motion.interpolated).tolist() == [8, 9]


def test_frames_off_the_stride_make_finer_rows():
    someone = person("flat")
    seen = observed(someone, np.setdiff1d(np.arange(len(someone.joints)), (0, 4, 8, 10, 14)))
    assert row_step([seen], 4) == 2


def test_a_body_that_turns_in_a_gap_keeps_its_size():
    someone, rows = person("flat", 1.0), 20
    turn = Rotation.from_rotvec(np.linspace(0, 2.5, rows)[:, None] * [0, 0, 1.0]).as_matrix()
    still = someone.joints[0] - someone.joints[0, 0]
    R = (turn @ someone.R_world_root[0]).astype(np.float32)
    turning = Person(
        np.einsum("tij,kj->tki", turn, still).astype(np.float32), R, np.arange(rows) / FPS,
        Flags(np.zeros((rows, 2), bool), np.ones(rows, bool)),
    )  # fmt: skip
    (part,) = parts_of(observed(turning, range(5, 17)), 1, Clock(FPS))
    np.testing.assert_allclose(part.motion.joints, turning.joints, atol=1e-4)
    np.testing.assert_allclose(part.motion.R_world_root, R, atol=1e-4)


def test_somebody_who_is_lost_in_the_air_stays_there():
    someone = person("jump_box")
    height = someone.joints[:, 0, 2]
    highest = int(height.argmax())
    (part,) = parts_of(observed(someone, range(highest - 4, highest + 5)), 1, Clock(FPS))
    apart = np.linalg.norm(part.motion.joints[:, 0] - someone.joints[:, 0], axis=1)
    straight = np.interp(highest, [highest - 5, highest + 5], height[[highest - 5, highest + 5]])
    assert apart.max() < 0.6 * (height[highest] - straight)


def test_a_last_frame_that_is_off_does_not_throw_the_person_about():
    someone = person("flat")
    joints = someone.joints.copy()
    joints[39] += np.array([0.1, 0, 0], np.float32)
    off = Person(joints, someone.R_world_root, someone.times_s, someone.flags)
    (part,) = parts_of(observed(off, range(40, 52)), 1, Clock(FPS))
    apart = np.linalg.norm(part.motion.joints[40:52, 0] - someone.joints[40:52, 0], axis=1)
    assert apart.max() < 0.15
