"""Feet that are said to stand."""

import numpy as np

from stages.stage2_megahunter.standing import standing_feet


def feet(left_step_m, right_step_m, frames=30, noise_m=0.0):
    steps = np.array([[left_step_m, 0, 0], [right_step_m, 0, 0]])
    noise = np.random.default_rng(0).normal(0, noise_m, (frames, 2, 3))
    return np.arange(frames)[:, None, None] * steps + noise


def test_a_foot_that_swings_does_not_stand_whatever_is_said():
    said = np.ones((30, 2), bool)
    found = standing_feet(said, feet(0.0, 0.08))
    assert found[:, 0].all()
    assert not found[:, 1].any()


def test_a_foot_that_is_only_seen_roughly_may_stand():
    said = np.ones((30, 2), bool)
    assert standing_feet(said, feet(0.0, 0.0, noise_m=0.03)).mean() > 0.8


def test_a_slow_foot_that_is_said_to_fly_flies():
    assert not standing_feet(np.zeros((30, 2), bool), feet(0.0, 0.0)).any()


def test_two_frames_say_nothing_of_speed():
    said = np.ones((2, 2), bool)
    assert standing_feet(said, feet(0.5, 0.5, frames=2)).all()


def test_a_foot_that_stood_and_stays_still_stands_on_until_it_moves():
    said = np.zeros((30, 2), bool)
    said[8:12] = True
    path = feet(0.0, 0.0)
    path[18:, 0, 0] += 0.05 * np.arange(1, 13)
    found = standing_feet(said, path)
    assert found[:15, 0].all() and not found[22:, 0].any()
    assert found[:, 1].all()
