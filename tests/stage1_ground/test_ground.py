"""The plane under people's feet, and pieces above it."""

from dataclasses import replace

import numpy as np
import pytest

from stages.artifacts.contacts import PersonContact
from stages.body.surface_parts import seat
from stages.people.sources import FramePeople
from stages.stage1_ground.footholds import Foothold, stances
from stages.stage1_ground.levels import fit_levels
from stages.stage1_ground.surface import ASSUMED, FARTHEST_M, surface_of
from tests.stage1_ground.planted import (
    BOX,
    BUILDER,
    CAMERA_HEIGHT_M,
    FLAT,
    FRAMES_A_PLACE,
    SIZE,
    UP,
    K,
    cameras,
    person,
    to_world,
)


def watched(places, turns_deg=None):
    views = cameras(np.zeros(FRAMES_A_PLACE * len(places)) if turns_deg is None else turns_deg)
    return views, person(places, views)


def seen(views, *tracks, frames=None):
    nobody = [FramePeople({}, {}, {}, None)] * len(views.times_s)
    return stances(views, list(tracks), frames or nobody, BUILDER, SIZE)


def degrees_off(up) -> float:
    return float(np.degrees(np.arccos(np.clip(up @ UP, -1, 1))))


def built(found):
    return surface_of(found.footholds, fit_levels(found.footholds, found.up))


@pytest.mark.parametrize("turning", [False, True])
def test_the_ground_is_where_people_stand(turning):
    turns = np.linspace(-6, 6, FRAMES_A_PLACE * len(FLAT)) if turning else None
    surface = built(seen(*watched(FLAT, turns)))
    assert degrees_off(surface.up) < 0.3
    assert surface.camera_height_m == pytest.approx(CAMERA_HEIGHT_M, abs=0.02)
    assert surface.pieces == []


@pytest.mark.parametrize("degrees", [4, 7])
@pytest.mark.parametrize("towards", [(1.0, 0, 0), (0, 1.0, 0)])
def test_people_who_lean_do_not_tilt_the_ground_that_they_stand_on(degrees, towards):
    found = seen(*watched(FLAT))
    side = np.cross(UP, towards)
    leaning = UP + np.tan(np.radians(degrees)) * side / np.linalg.norm(side)
    levels = fit_levels(found.footholds, leaning / np.linalg.norm(leaning))
    assert degrees_off(levels.up) < 0.25 * degrees
    assert len(levels.offsets_m) == 1


def test_feet_of_one_side_that_seem_nearer_do_not_tilt_the_ground():
    """Who walks across the view says nothing of how the ground goes on in depth but by leaning."""
    found = seen(*watched([(x, 5.0, 0.0) for x in (-1.0, -0.3, 0.3, 1.0)]))
    rays = [each.points_m.mean(axis=0) for each in found.footholds]
    middles = [each.middle_m for each in found.footholds]
    is_right = [ray[0] > middle[0] for ray, middle in zip(rays, middles, strict=True)]
    assert len(set(is_right)) == 2
    wrong = [
        replace(each, points_m=(1.02 if right else 0.98) * each.points_m)
        for each, right in zip(found.footholds, is_right, strict=True)
    ]
    tilted = np.cross(fit_levels(wrong, found.up).up, found.up)
    assert np.degrees(np.linalg.norm(tilted)) < 0.3


def test_a_box_is_as_high_as_the_feet_on_it():
    (piece,) = built(seen(*watched(BOX))).pieces
    assert piece.height_m == pytest.approx(0.3, abs=0.02)


def test_one_wrong_foothold_below_is_not_the_ground():
    found = seen(*watched(FLAT))
    below = to_world([[0.0, 5.0, -0.5]])
    wrong = Foothold(1, below, below[0], 0.1)
    levels = fit_levels([*found.footholds, wrong], found.up)
    assert levels.offsets_m[levels.ground] == pytest.approx(-CAMERA_HEIGHT_M, abs=0.02)
    assert surface_of([*found.footholds, wrong], levels).pieces == []


def test_a_seat_carries_too():
    views, track = watched(BOX)
    touching = np.zeros((6890, 1), np.float32)
    touching[seat(BUILDER.model)] = 1.0
    sitting = FramePeople({}, {}, {}, {1: PersonContact(touching, False, False)})
    nobody = FramePeople({}, {}, {}, None)
    feet = replace(track, contacts=np.arange(len(track.valid))[:, None] < [60, 60])
    frames = [nobody] * 60 + [sitting] * 15
    found = seen(views, feet, frames=frames)
    assert [each.is_seat for each in found.footholds].count(True) == 1
    (piece,) = built(found).pieces
    assert 0.9 < piece.height_m < 1.2  # The seat of somebody upright on a box of 0.3 m.


def test_feet_out_of_the_picture_carry_nobody():
    views, track = watched(FLAT)
    below = replace(track, pixels=track.pixels + np.array([0, 150.0]))
    assert seen(views, below).footholds == []


def test_without_contacts_the_lower_foot_stands():
    views, track = watched(FLAT)
    surface = built(seen(views, replace(track, contacts=np.zeros_like(track.contacts))))
    assert surface.camera_height_m == pytest.approx(CAMERA_HEIGHT_M, abs=0.03)


def test_several_people_stand_on_one_ground():
    views, track = watched(FLAT)
    other = person(((1.5, 4.5, 0),) * len(FLAT), views, number=2)
    found = seen(views, track, other)
    assert {each.person for each in found.footholds} == {1, 2}
    assert built(found).camera_height_m == pytest.approx(CAMERA_HEIGHT_M, abs=0.02)


def test_depth_is_that_of_the_plane_and_ends_far_away():
    surface = built(seen(*watched(FLAT)))
    depth, confidence = surface.seen(K, np.eye(3), *SIZE)
    y, x = 250, 300
    ray = np.array([(x - K[0, 2]) / K[0, 0], (y - K[1, 2]) / K[1, 1], 1.0])
    assert depth[y, x] == pytest.approx(CAMERA_HEIGHT_M / -(ray @ UP), rel=0.02)
    assert (depth[:50] == 0).all() and (confidence[:50] == 0).all()  # above the horizon
    assert depth.max() <= FARTHEST_M
    assert ((confidence > 0) == (depth > 0)).all()
    far = depth > 20
    assert confidence[far] == pytest.approx(ASSUMED, abs=0.01)
    at = to_world([FLAT[1]])[0]
    column, row = np.rint(at[:2] / at[2] * K[0, 0] + K[:2, 2]).astype(int)
    assert confidence[row, column] > 0.9


def test_a_box_hides_the_ground_behind_it_and_has_a_front():
    surface = built(seen(*watched(BOX)))
    flat = replace(surface, pieces=[])
    depth, plain = (each.seen(K, np.eye(3), *SIZE)[0] for each in (surface, flat))
    box = depth < plain - 1e-4
    y, x = np.nonzero(box)
    rays = np.stack([(x - K[0, 2]) / K[0, 0], (y - K[1, 2]) / K[1, 1], np.ones(len(x))], axis=1)
    heights = (rays * depth[box][:, None]) @ surface.up + surface.camera_height_m
    assert heights.max() == pytest.approx(0.3, abs=0.02)
    top = heights > heights.max() - 1e-3
    assert 0.2 < top.mean() < 0.9
    assert heights.min() < 0.03
