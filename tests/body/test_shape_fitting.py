"""Fitted bodies measure what was asked."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stages.body.shape_fitting import fit_height, fit_limb_lengths, limb_lengths_m, stature_m

LEGS_AND_ARMS = [
    (f"{side}_{a}", f"{side}_{b}")
    for side in ("left", "right")
    for a, b in (("hip", "knee"), ("knee", "ankle"), ("shoulder", "elbow"), ("elbow", "wrist"))
]


@settings(max_examples=20, deadline=None)
@given(st.floats(1.35, 2.1), st.integers(0, 2**31))
def test_the_fitted_body_has_the_asked_stature(demo_body, height_m, seed):
    near = np.random.default_rng(seed).normal(0, 1, 10)
    for start in (None, near):
        betas = fit_height(demo_body, height_m, start)
        assert stature_m(demo_body, betas) == pytest.approx(height_m, abs=1e-4)


def test_a_body_that_has_the_stature_already_is_kept(demo_body):
    near = np.random.default_rng(1).normal(0, 1, 10)
    betas = fit_height(demo_body, stature_m(demo_body, near), near)
    np.testing.assert_allclose(betas, near, atol=1e-3)


def test_no_other_shape_of_that_stature_is_much_likelier(demo_body):
    betas = fit_height(demo_body, 1.85)
    rng = np.random.default_rng(0)
    for _ in range(20):
        other = fit_height(demo_body, 1.85, betas + rng.normal(0, 0.3, 10))
        assert np.linalg.norm(other) > np.linalg.norm(betas) - 0.02


@pytest.mark.parametrize("height_m", [0.0, -1.0, 180.0, float("nan")])
def test_a_height_that_is_no_adults_is_refused(demo_body, height_m):
    with pytest.raises(ValueError, match="not one of an adult"):
        fit_height(demo_body, height_m)


@settings(max_examples=5, deadline=None)
@given(st.integers(0, 2**31))
def test_limb_lengths_of_a_body_are_found_again(demo_body, seed):
    betas = np.random.default_rng(seed).normal(0, 1, 10)
    wanted = limb_lengths_m(demo_body, betas, LEGS_AND_ARMS)
    fitted = fit_limb_lengths(demo_body, dict(zip(LEGS_AND_ARMS, wanted, strict=True)))
    got = limb_lengths_m(demo_body, fitted, LEGS_AND_ARMS)
    np.testing.assert_allclose(got, wanted, atol=0.005)


def test_the_shape_takes_on_the_robots_proportions(demo_body):
    from stages.robot.limbs import limb_lengths_m as robot_lengths
    from stages.robot.model import load_g1

    lengths = robot_lengths(load_g1())
    betas = fit_limb_lengths(demo_body, lengths)
    got = limb_lengths_m(demo_body, betas, list(lengths))
    np.testing.assert_allclose(got, list(lengths.values()), atol=0.02)
    assert stature_m(demo_body, betas) < 1.45


def test_an_unknown_joint_is_refused_by_name(demo_body):
    with pytest.raises(ValueError, match="left_antenna"):
        fit_limb_lengths(demo_body, {("left_antenna", "left_hip"): 0.3})
    with pytest.raises(ValueError, match="positive"):
        fit_limb_lengths(demo_body, {("left_knee", "left_hip"): float("nan")})
