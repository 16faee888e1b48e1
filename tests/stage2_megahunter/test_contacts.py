"""Contacts that hold: of feet that are slow, in metres per second."""

import numpy as np
import pytest

from stages.people.contacts import SETTLING_S, filter_contacts

RATES = (10.0, 30.0, 120.0)


def times(fps=30.0, seconds=1.0):
    return np.arange(round(seconds * fps)) / fps


def feet(left_m_s, right_m_s, times_s, noise_m=0.0):
    velocities = np.array([[left_m_s, 0, 0], [right_m_s, 0, 0]])
    noise = np.random.default_rng(0).normal(0, noise_m, (len(times_s), 2, 3))
    return times_s[:, None, None] * velocities + noise


def said(times_s):
    return np.ones((len(times_s), 2), bool)


@pytest.mark.parametrize("fps", RATES)
def test_a_foot_that_swings_is_not_in_contact_whatever_is_said(fps):
    times_s = times(fps)
    found = filter_contacts(said(times_s), feet(0.0, 2.4, times_s), times_s)
    assert found[:, 0].all()
    assert not found[:, 1].any()


@pytest.mark.parametrize("fps", RATES)
def test_a_foot_that_rolls_off_slowly_may_be_in_contact(fps):
    times_s = times(fps)
    assert filter_contacts(said(times_s), feet(0.6, 0.6, times_s), times_s).all()


def test_speeds_are_those_of_the_clock_where_frames_are_uneven():
    times_s = np.concatenate([np.arange(15) / 30, 0.5 + np.arange(6) / 10])
    found = filter_contacts(said(times_s), feet(0.6, 2.4, times_s), times_s)
    assert found[:, 0].all()
    assert not found[:, 1].any()


def test_a_step_while_nobody_looked_is_no_speed_of_a_foot():
    times_s = np.concatenate([np.arange(10) / 30, 3.0 + np.arange(10) / 30])
    places = feet(0.0, 0.0, times_s)
    places[10:] += 5.0
    assert filter_contacts(said(times_s), places, times_s).all()


def test_a_foot_that_is_only_seen_roughly_may_be_in_contact():
    times_s = times()
    found = filter_contacts(said(times_s), feet(0.0, 0.0, times_s, noise_m=0.03), times_s)
    assert found.mean() > 0.8


def test_a_slow_foot_that_is_said_to_fly_flies():
    times_s = times()
    assert not filter_contacts(~said(times_s), feet(0.0, 0.0, times_s), times_s).any()


def test_two_frames_say_nothing_of_speed():
    times_s = times()[:2]
    assert filter_contacts(said(times_s), feet(15.0, 15.0, times_s), times_s).all()


@pytest.mark.parametrize("fps", RATES)
def test_a_seat_is_shifted_about_on_for_half_a_second_before_and_after_and_not_longer(fps):
    times_s = times(fps, seconds=6.0)
    rests = (times_s > 2.5) & (times_s < 3.5)
    both = np.stack([rests, rests], axis=1)
    found = filter_contacts(both, feet(0.15, 0.4, times_s), times_s, SETTLING_S)
    near = (times_s > 2.5 - SETTLING_S + 0.12) & (times_s < 3.5 + SETTLING_S - 0.12)
    far = (times_s < 2.5 - SETTLING_S - 0.12) | (times_s > 3.5 + SETTLING_S + 0.12)
    assert found[near, 0].all() and not found[far, 0].any()
    np.testing.assert_array_equal(found[:, 1], rests)


@pytest.mark.parametrize("fps", RATES)
def test_a_foot_in_contact_that_stays_still_is_so_until_it_moves(fps):
    times_s = times(fps)
    seen = ~said(times_s)
    seen[(times_s > 0.25) & (times_s < 0.4)] = True
    path = feet(0.0, 0.0, times_s)
    path[:, 0, 0] += 1.5 * np.maximum(times_s - 0.6, 0.0)
    found = filter_contacts(seen, path, times_s)
    assert found[times_s < 0.5, 0].all() and not found[times_s > 0.72, 0].any()
    assert found[:, 1].all()
