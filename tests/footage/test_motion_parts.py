import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.footage.moving_bodies import pose
from tools.footage.motions import Motion, ShapedBody, random_pose
from tools.footage.motions.curves import Knot, quintic, smooth_below
from tools.footage.motions.legs import solve_leg, straight_leg_m
from tools.footage.motions.rotations import about_y, angle_between

unit = st.floats(-1.0, 1.0)


@given(st.tuples(unit, unit, unit), st.floats(0.3, 0.98), st.floats(-1.5, 1.5))
def test_a_leg_reaches_its_ankle_with_the_knee_in_front(aim, reach, heading):
    thigh, shin = np.array([0.03, -0.4, 0.01]), np.array([-0.02, -0.43, -0.04])
    way = np.array([0.6 * aim[0], 0.6 * aim[1], -1.0]) * [1, 1, 1]
    ankle = way / np.linalg.norm(way) * reach * straight_leg_m(thigh, shin)
    left = np.array([-np.sin(heading), np.cos(heading), 0.0])
    R_thigh, R_knee = solve_leg(np.zeros((1, 3)), ankle[None], left[None], thigh, shin)
    knee = R_thigh[0] @ thigh
    assert np.allclose(knee + R_thigh[0] @ R_knee[0] @ shin, ankle, atol=1e-9)
    forward = np.cross(left, [0.0, 0.0, 1.0])
    assert (knee - ankle * (knee @ ankle) / (ankle @ ankle)) @ forward > -0.02


@given(unit, unit, unit, unit, unit, unit)
def test_a_quintic_meets_both_ends(x0, v0, a0, x1, v1, a1):
    t = 2.0 + np.array([0.0, 1e-4, 2e-4, 1.0 - 2e-4, 1.0 - 1e-4, 1.0])
    x = quintic(t, 2.0, 3.0, Knot(x0, v0, a0), Knot(x1, v1, a1))
    assert x[0] == pytest.approx(x0) and x[-1] == pytest.approx(x1)
    assert (x[1] - x[0]) / 1e-4 == pytest.approx(v0, abs=0.01)
    assert (x[-1] - x[-2]) / 1e-4 == pytest.approx(v1, abs=0.01)
    assert (x[2] - 2 * x[1] + x[0]) / 1e-8 == pytest.approx(a0, abs=0.1)
    assert (x[-1] - 2 * x[-2] + x[-3]) / 1e-8 == pytest.approx(a1, abs=0.1)


@given(st.lists(unit, min_size=20, max_size=60))
def test_a_smooth_height_stays_under_its_bound(values):
    bound = np.array(values)
    assert (smooth_below(bound, 0.03, 120.0) <= bound + 1e-12).all()


def test_the_sole_of_a_resting_foot_stands_on_its_plane(model):
    shaped = ShapedBody(model)
    for seed in range(5):
        rest = shaped.rest(np.random.default_rng(seed).normal(size=10))
        for foot in rest.feet:
            heights = np.concatenate([foot.rear_m, foot.toes_m])[:, 1] + foot.ankle_height_m
            assert heights.min() > -1e-9
            assert np.sort(heights)[2] < 1e-6  # three points bear
            assert 0.04 < foot.ankle_height_m < 0.11


def test_random_poses_are_rotations_that_people_can_hold(model):
    R = random_pose(np.random.default_rng(1_000_000), 300)
    assert R.shape == (300, 24, 3, 3)
    assert np.allclose(R @ R.swapaxes(-1, -2), np.eye(3), atol=1e-9)
    assert np.allclose(np.linalg.det(R), 1.0)
    knee = np.arctan2(R[:, (4, 5), 2, 1], R[:, (4, 5), 1, 1])
    assert knee.min() > 0.0 and knee.max() < 2.5
    assert angle_between(R[:, 15], np.eye(3)).max() < 1.2
    assert (R[:, 0, 2, 1] > 0.3).all()  # nobody lies
    heads = pose(_still(R), model).joints_m[:, 15, 2]
    assert (heads > 0.05).all()


def test_random_poses_vary_in_every_limb():
    R = random_pose(np.random.default_rng(1_000_000), 300)
    for joint in (1, 2, 4, 5, 16, 17, 18, 19):
        assert angle_between(R[:, joint], R[:1, joint]).std() > 0.2


def test_resampling_keeps_times_and_true_rotations():
    turn = np.tile(np.eye(3), (31, 24, 1, 1))
    turn[:, 5] = about_y(np.linspace(0.0, 1.0, 31))
    root = np.stack([np.linspace(0, 3, 31)] * 3, axis=1)
    contacts = np.repeat(np.arange(31)[:, None] > 14, 2, axis=1)
    motion = Motion(30.0, turn, root, np.zeros(10), contacts).resampled(24.0)
    assert motion.fps == 24.0 and len(motion) == 25
    assert np.allclose(motion.root_m[:, 0], np.linspace(0.0, 3.0, 25))
    assert np.allclose(motion.local_rotmats[:, 5], about_y(np.linspace(0.0, 1.0, 25)))
    assert motion.contacts[:, 0].sum() == 13


def test_cutting_and_moving_keep_the_rest():
    R = random_pose(np.random.default_rng(7), 10)
    motion = _still(R).cut(2, 6).moved(np.pi / 2, (1.0, 2.0))
    assert len(motion) == 4
    assert np.allclose(motion.root_m, [1.0, 2.0, 0.0])
    assert np.allclose(motion.local_rotmats[:, 1:], R[2:6, 1:])
    assert np.allclose(motion.local_rotmats[:, 0, 1], R[2:6, 0, 0])


def _still(R) -> Motion:
    n = len(R)
    return Motion(30.0, R, np.zeros((n, 3)), np.zeros(10), np.zeros((n, 2), bool))
