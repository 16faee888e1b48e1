"""How the camera turned, and its focal length, from the background."""

import numpy as np
import pytest

from stages.geometry.rotations import angle_between
from stages.running import VideoError
from stages.stage1_ground.rotations import follow_turns
from stages.stage1_ground.turning import focal_from_turning, rays_of, robust_rotation
from tests.stage1_ground.planted import SIZE, K, stone, turned, view

TURNS_DEG = np.linspace(0, 24, 13)
NARROW = np.diag([1.2, 1.2, 1.0]) @ K
NARROW[:2, 2] = K[:2, 2]
OPEN = np.ones(SIZE, bool)


def intrinsic(focal_px: float | None) -> np.ndarray:
    made = K.copy()
    if focal_px is not None:
        made[0, 0] = made[1, 1] = focal_px
    return made


def degrees_off(Rs, turns_deg) -> np.ndarray:
    true = np.array([turned(degrees) for degrees in turns_deg])
    return np.degrees(angle_between(np.asarray(Rs), true))


def test_a_turning_camera_is_followed_and_says_its_focal_length():
    pictures = [(view(stone(), turned(one), K=NARROW), OPEN) for one in TURNS_DEG]
    found = follow_turns(pictures, intrinsic)
    assert not found.stands and found.known.all()
    assert found.focal_px == pytest.approx(NARROW[0, 0], rel=0.01)
    assert degrees_off(found.R_world_camera, TURNS_DEG).max() < 0.1


def test_a_camera_that_stands_has_the_identity_in_every_frame():
    rng = np.random.default_rng(0)
    still = view(stone(), np.eye(3)).astype(float)
    pictures = [
        (np.clip(still + rng.normal(0, 3, SIZE), 0, 255).astype(np.uint8), OPEN) for _ in range(5)
    ]
    found = follow_turns(pictures, intrinsic)
    assert found.stands and found.focal_px is None
    assert (found.R_world_camera == np.eye(3)).all()


def test_people_who_walk_before_a_standing_camera_do_not_turn_it():
    pictures = []
    for step in range(5):
        picture, background = view(stone(), np.eye(3)), OPEN.copy()
        rows, columns = slice(40, 260), slice(60 * step, 60 * step + 150)
        picture[rows, columns] = stone(1)[40:260, :150]
        background[rows, columns] = False
        pictures.append((picture, background))
    assert follow_turns(pictures, intrinsic).stands


def test_a_camera_that_walks_is_refused_in_one_line():
    pictures = [
        (view(stone(), turned(-4.0 * step), shift=(0.25 * step, 0, 0.1 * step)), OPEN)
        for step in range(10)
    ]
    with pytest.raises(VideoError, match=r"^the camera moves: use the world method sfm$"):
        follow_turns(pictures, intrinsic)


def test_a_place_without_texture_is_refused():
    blank = np.full(SIZE, 128, np.uint8)
    with pytest.raises(VideoError, match="too little texture"):
        follow_turns([(blank, OPEN)] * 4, intrinsic)


def test_a_frame_that_shows_nothing_lies_between_its_neighbours():
    pictures = [(view(stone(), turned(one)), OPEN) for one in TURNS_DEG]
    pictures[5] = (np.zeros(SIZE, np.uint8), OPEN)
    found = follow_turns(pictures, intrinsic)
    assert np.flatnonzero(~found.known).tolist() == [5]
    assert degrees_off(found.R_world_camera, TURNS_DEG)[5] < 0.2


def test_wrong_matches_do_not_turn_a_rotation():
    rng = np.random.default_rng(3)
    pixels = rng.uniform([0, 0], SIZE[::-1], (200, 2))
    second = rays_of(pixels, K)
    first = second @ turned(7.0).T
    first[:80] = first[rng.permutation(80)]
    R, near = robust_rotation(first, second, 0.005)
    assert degrees_off([R], [7.0]) < 0.01
    assert near[80:].all()


@pytest.mark.parametrize(("degrees", "known"), [(20.0, True), (1.0, False)])
def test_a_focal_length_is_said_only_after_a_turn_that_shows_it(degrees, known):
    rng = np.random.default_rng(4)
    first = rng.uniform([150, 0], SIZE[::-1], (150, 2))
    rays = rays_of(first, K) @ turned(degrees)
    second = rays[:, :2] / rays[:, 2:] * K[0, 0] + K[:2, 2]
    second = second + rng.normal(0, 0.5, second.shape)
    found = focal_from_turning([(first, second)], SIZE)
    assert (found is not None) == known
    if known:
        assert found == pytest.approx(K[0, 0], rel=0.03)
