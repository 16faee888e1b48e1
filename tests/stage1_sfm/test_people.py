"""People's own depth: that of their bodies, at the size that they have in the world."""

import numpy as np
import pytest

from stages.artifacts.world import WorldFrame, opened_world, write_world
from stages.body.joint_names import coco18_row
from stages.body.model import DEMO_BODY, load_body
from stages.people.tracks import Track
from stages.stage1_sfm.people import body_depth, frames_to_look_at, metres_per_unit, placed

K = np.array([[300.0, 0, 159.5], [0, 300.0, 119.5], [0, 0, 1]])
KS = np.stack([K, K])
SIZE = (240, 320)
AWAY_M, CAMERA_HEIGHT_M = 4.0, 1.4
UNIT_M = 2.5
ANKLES = [coco18_row(f"{side}_ankle") for side in ("left", "right")]


def somebody(contacts=(True, True)):
    """Upright at 4 m, facing the camera, on a floor 1.4 m below it, in two frames."""
    model = load_body(DEMO_BODY)
    rotmats = np.tile(np.eye(3), (2, 24, 1, 1))
    rotmats[:, 0] = np.diag([1.0, -1.0, -1.0])
    nothing = np.zeros((2, 18, 2)), np.zeros((2, 18)), np.zeros((2, 4))
    known = np.ones(2, bool)
    touching = np.tile(contacts, (2, 1))
    track = Track(1, known, known, *nothing, rotmats, np.zeros(10), touching)
    at_origin = placed(track, model, KS)
    points = at_origin.points_m - at_origin.points_m[:, -4:].mean(1, keepdims=True)
    points += [0.2, CAMERA_HEIGHT_M, AWAY_M]
    pixels = (points[:, :18] / points[:, :18, 2:]) @ K.T
    track = Track(
        1, known, known, pixels[..., :2], np.ones((2, 18)), nothing[2], rotmats, np.zeros(10),
        np.tile(contacts, (2, 1)),
    )  # fmt: skip
    return placed(track, model, KS), points


def floor() -> np.ndarray:
    """Depth of the floor in units of the world; the person hides some of it."""
    rows = np.arange(SIZE[0])[:, None] - K[1, 2]
    depth = np.where(rows > 20, CAMERA_HEIGHT_M / UNIT_M * K[1, 1] / np.maximum(rows, 1), 0)
    depth = np.tile(depth, (1, SIZE[1])).astype(np.float32)
    depth[:218, 165:185] = 0
    return depth


def test_a_body_is_put_where_its_keypoints_are_seen():
    person, points = somebody()
    np.testing.assert_allclose(person.points_m, points, atol=0.02)
    assert person.known.all()


def test_people_are_as_large_in_the_world_as_the_ground_under_their_feet_says():
    person, _ = somebody()
    found = metres_per_unit([person], [0, 1], lambda _: floor(), lambda _: K)
    assert found == pytest.approx(UNIT_M, rel=0.02)


def test_without_ground_under_feet_nothing_is_said():
    person, _ = somebody()
    nothing = np.zeros(SIZE, np.float32)
    assert metres_per_unit([person], [0, 1], lambda _: nothing, lambda _: K) is None
    assert metres_per_unit([], [], lambda _: floor(), lambda _: K) is None


def test_frames_are_looked_at_in_which_somebody_stands():
    person, _ = somebody()
    person.contacts[0] = False
    assert frames_to_look_at([person], np.ones(2, bool)) == [1]
    assert frames_to_look_at([person], np.array([True, False])) == []


def test_where_nothing_is_known_of_contacts_all_frames_are_looked_at():
    person, _ = somebody(contacts=(False, False))
    assert frames_to_look_at([person], np.ones(2, bool)) == [0, 1]


def test_a_limb_has_the_depth_of_its_joints_and_what_is_not_the_person_none():
    _, points = somebody()
    points[0, ANKLES] += [0, 0, 0.5]
    mask = np.zeros(SIZE, bool)
    mask[10:230, 100:240] = True
    depth = body_depth(points[0], mask, K)
    assert ((depth > 0) == mask).all()
    for joint in ("left_shoulder", "right_hip", "left_ankle"):
        x, y, z = points[0, coco18_row(joint)]
        column, row, _ = np.rint(K @ [x / z, y / z, 1]).astype(int)
        assert depth[row, column] == pytest.approx(z, abs=0.05), joint


def test_the_place_behind_people_stays_in_the_file(tmp_path):
    dynamic = np.zeros((8, 16), bool)
    dynamic[2:5, 3:9] = True
    behind = np.where(dynamic, np.float32(3), 0)
    depth = np.where(dynamic, np.float32(2), np.float32(4))
    frame = WorldFrame(
        "00001", np.zeros((8, 16, 3), np.uint8), K.astype(np.float32), np.eye(4, dtype=np.float32),
        depth, np.ones_like(depth), dynamic, np.eye(2, 3), measured=~dynamic, behind=behind,
    )  # fmt: skip
    write_world(tmp_path / "world.h5", [frame], method="sfm")
    with opened_world(tmp_path / "world.h5") as (world, _):
        found = world["00001"]
        assert (found.depth == depth).all() and (found.points[..., 2] == depth).all()
        assert (found.place_depth == np.where(dynamic, 3, 4)).all()
        assert not found.measured[dynamic].any()
