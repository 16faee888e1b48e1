"""What touches the world, by what stands still against a background that moves."""

import cv2
import numpy as np
import pytest

from stages.body import surface_parts
from stages.stage0_blazepose.background import background_tracks, motion_at
from stages.stage0_blazepose.body_fit import FittedBody
from stages.stage0_blazepose.contacts import Contacts, contacts_of, probabilities
from stages.stage0_blazepose.correspondence import row
from stages.stage0_blazepose.observations import Observations
from tests.stage0_blazepose.planted import (
    DISTANCE_M,
    FPS,
    body,
    seen_as,
    sitting_down,
    turned,
)

FOCAL_PX = 500.0
FOOT = [f"left_{name}" for name in ("ankle", "heel", "big_toe")]
STEPS_PX = np.array([5.0, -2.0])
"""How far the camera's turning moves everything in the picture from frame to frame."""


def points_of(seen: Observations) -> np.ndarray:
    return seen.rays * FOCAL_PX + 300


def contacts(
    rotmats: np.ndarray, points_px: np.ndarray, background_px: np.ndarray = STEPS_PX
) -> Contacts:
    """Of a person in pictures whose background moves evenly."""
    grid = np.stack(np.meshgrid(*[np.arange(0, 600, 40.0)] * 2), -1).reshape(-1, 2)
    T = len(rotmats)
    return contacts_of(
        seen_as(rotmats, np.zeros(10)),
        points_px,
        FittedBody(rotmats, np.tile([0, 0, DISTANCE_M], (T, 1)), np.zeros(10)),
        np.full(T, DISTANCE_M / FOCAL_PX),
        [(grid, grid + background_px)] * (T - 1),
    )


def on_the_move(points_px: np.ndarray, step_px: np.ndarray = STEPS_PX) -> np.ndarray:
    return points_px + np.arange(len(points_px))[:, None, None] * step_px


def with_a_step(rotmats: np.ndarray) -> np.ndarray:
    """Points in the picture; the left foot moves half a metre between frames 20 and 30."""
    points = points_of(seen_as(rotmats, np.zeros(10)))
    way = np.clip((np.arange(len(points)) - 20) / 10, 0, 1) * 0.5 * FOCAL_PX / DISTANCE_M
    points[:, [row(name) for name in FOOT], 0] += way[:, None]
    return points


def test_a_foot_is_in_contact_but_while_it_moves_against_the_background():
    found = contacts(turned(50), on_the_move(with_a_step(turned(50))))
    assert found.feet[:, 1].all()
    assert found.feet[:17, 0].all() and found.feet[33:, 0].all() and not found.feet[22:28, 0].any()
    assert not found.seat.any() and not found.hands.any() and not found.knees.any()


def test_standing_still_in_the_picture_is_moving_when_the_background_goes_by():
    still = points_of(seen_as(turned(30), np.zeros(10)))
    assert not contacts(turned(30), still).feet.any()
    assert contacts(turned(30), still, np.zeros(2)).feet.all()


@pytest.mark.parametrize("deep_m", [0.45, 0.22])
def test_the_seat_touches_once_somebody_sits_still(deep_m):
    rotmats = np.concatenate([sitting_down(20), np.repeat(sitting_down(20)[-1:], 30, 0)])
    points = points_of(seen_as(rotmats, np.zeros(10)))
    lowered = np.append(np.linspace(0, deep_m, 20), np.full(30, deep_m)) * FOCAL_PX / DISTANCE_M
    points[..., 1] += lowered[:, None]
    found = contacts(rotmats, on_the_move(points))
    assert found.seat[26:].all() and not found.seat[:15].any()


def test_the_seat_is_not_at_rest_while_somebody_still_shifts_about_on_it():
    rotmats = np.repeat(sitting_down(20)[-1:], 60, 0)
    points = points_of(seen_as(rotmats, np.zeros(10)))
    hips = [row(f"{side}_hip") for side in ("left", "right")]
    back_m = 0.18 * np.minimum(np.arange(60), 30) / FPS
    points[:, hips, 0] += back_m[:, None] * FOCAL_PX / DISTANCE_M
    found = contacts(rotmats, on_the_move(points))
    assert found.seat[34:].all() and not found.seat[:27].any()


def test_a_hand_that_holds_on_touches_while_the_body_moves_and_not_when_it_lies_on_the_leg():
    rotmats = turned(40)
    points = points_of(seen_as(rotmats, np.zeros(10)))
    hand = [row("right_wrist"), row("right_hand")]
    shoulders = [row(f"{side}_shoulder") for side in ("left", "right")]
    away = np.zeros_like(points)
    away[:, shoulders, 1] = -np.arange(40)[:, None] / FPS * 0.5 * FOCAL_PX / DISTANCE_M
    away[:, [row("left_wrist")]] = away[:, shoulders[:1]]
    points[:, hand] += np.array([-0.6, -0.2]) * FOCAL_PX / DISTANCE_M
    found = contacts(rotmats, on_the_move(points + away))
    assert found.hands[5:35, 1].all() and not found.hands[:, 0].any()
    points[:, hand] = points[:, [row("right_hip")]] * 0.5 + points[:, [row("right_knee")]] * 0.5
    assert not contacts(rotmats, on_the_move(points + away)).hands.any()


def test_frames_that_do_not_follow_one_another_tell_nothing():
    rotmats = turned(3)
    seen = seen_as(rotmats, np.zeros(10))
    found = contacts_of(
        seen,
        points_of(seen),
        FittedBody(rotmats, np.tile([0, 0, DISTANCE_M], (3, 1)), np.zeros(10)),
        np.full(3, DISTANCE_M / FOCAL_PX),
        [None, None],
    )
    assert not found.feet.any()


def test_vertices_that_touch_are_those_of_the_parts_that_touch():
    model = body()
    feet = np.array([[True, False]])
    none = np.zeros((1, 2), bool)
    found = Contacts(feet, none, feet, none, none, np.ones(1, bool))
    touching = np.flatnonzero(probabilities(found, 0, model) > 0.5)
    toes, _ = surface_parts.sole_parts(model.v_template, model.left_foot_vertices)
    assert set(touching) == {*toes.tolist(), *surface_parts.seat(model).tolist()}


@pytest.mark.parametrize("angle_deg", [0.0, 0.7])
def test_the_background_is_followed_around_a_person_who_goes_another_way(angle_deg):
    rng = np.random.default_rng(1)
    large = cv2.GaussianBlur(rng.integers(0, 255, (500, 500)).astype(np.uint8), (0, 0), 2)
    large = cv2.cvtColor(cv2.normalize(large, None, 0, 255, cv2.NORM_MINMAX), cv2.COLOR_GRAY2RGB)
    turn = cv2.getRotationMatrix2D((250, 250), angle_deg, 1.0)
    turn[:, 2] += (4, -3)
    after = cv2.warpAffine(large, turn, (500, 500), borderMode=cv2.BORDER_REFLECT)
    people = np.zeros((500, 500), bool)
    people[150:350, 200:300] = True
    for picture, at in ((large, 0), (after, 20)):
        picture[150:350, 200 + at : 300 + at] = rng.integers(0, 255, (200, 100, 1))
    people_after = np.roll(people, 20, 1)
    (tracks,) = background_tracks([(large, people), (after, people_after)])
    places = np.array([[250.0, 360.0], [100.0, 100.0], [400.0, 420.0]])
    expected = places @ turn[:, :2].T + turn[:, 2] - places
    np.testing.assert_allclose(motion_at(places, tracks), expected, atol=0.3)


def test_where_nothing_can_be_followed_the_motion_is_unknown():
    plain = np.full((200, 200, 3), 128, np.uint8)
    (tracks,) = background_tracks([(plain, np.zeros((200, 200), bool))] * 2)
    assert np.isnan(motion_at(np.array([[100.0, 100.0]]), tracks)).all()
