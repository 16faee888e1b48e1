"""Up is where upright edges say, and nothing is said where few agree or people may be slanted."""

import cv2
import numpy as np
import pytest

from stages.cameras.upright_edges import edges_of, mean_up, upright
from stages.geometry.rotations import matrix_from_rotvec

HIGH, WIDE, FOCAL = 384, 512, 450.0
K = np.array([[FOCAL, 0, WIDE / 2], [0, FOCAL, HIGH / 2], [0, 0, 1]])
UP = np.array([0.0, -1.0, 0.0])
NOBODY = np.zeros((HIGH, WIDE), bool)


def camera(pitch_deg: float, roll_deg: float) -> np.ndarray:
    """R_world_camera of a world whose up is `UP`."""
    pitch, roll = np.radians([pitch_deg, roll_deg])
    return matrix_from_rotvec(np.array([pitch, 0, 0])) @ matrix_from_rotvec(np.array([0, 0, roll]))


def pictured(R: np.ndarray, direction: np.ndarray, posts: int, seed: int = 0) -> np.ndarray:
    """Bars along a direction, at places of their own."""
    random = np.random.default_rng(seed)
    grey = random.normal(128, 4, (HIGH, WIDE))
    for _ in range(posts):
        foot = np.array([*random.uniform([-3, 0.5, 4], [3, 1.5, 9])])
        ends = np.stack([foot, foot + 1.6 * direction]) @ R
        if (ends[:, 2] < 0.5).any():
            continue
        a, b = ((K @ (end / end[2]))[:2] * 16 for end in ends)
        shade = float(random.choice([20, 60, 200, 240]))
        cv2.line(grey, a.round().astype(int), b.round().astype(int), shade, 5, cv2.LINE_AA, 4)
    return grey.clip(0, 255).astype(np.uint8)


def off_deg(direction: np.ndarray) -> float:
    return float(np.degrees(np.arccos(np.clip(direction @ UP, -1, 1))))


@pytest.mark.parametrize("pitch_deg, roll_deg", [(0, 0), (-8, 4), (12, -9), (20, 15)])
def test_up_is_where_posts_point_however_people_lean(pitch_deg, roll_deg):
    views = [camera(pitch_deg + turn, roll_deg) for turn in (-2, 0, 2)]
    edges = [edges_of(pictured(R, UP, 30), K, R, NOBODY) for R in views]
    leaning = matrix_from_rotvec(np.array([0, 0, np.radians(20)])) @ UP
    found = upright(edges, np.stack([leaning, mean_up(np.stack(views))]))
    assert found is not None and off_deg(found.direction) < 1
    assert found.share > 0.5 and found.spread_deg < 0.5


def test_a_place_without_edges_says_nothing():
    R = camera(5, 0)
    for picture in (np.full((HIGH, WIDE), 90, np.uint8), pictured(R, UP, 0)):
        assert upright([edges_of(picture, K, R, NOBODY)], UP[None]) is None


def test_a_few_posts_are_no_evidence():
    R = camera(5, 0)
    edges = [edges_of(pictured(R, UP, 2, seed), K, R, NOBODY) for seed in range(3)]
    assert upright(edges, UP[None]) is None


def test_slanted_bars_are_not_taken_for_upright_ones():
    slanted = matrix_from_rotvec(np.array([0, 0, np.radians(50)])) @ UP
    R = camera(5, 0)
    assert upright([edges_of(pictured(R, slanted, 40), K, R, NOBODY)], UP[None]) is None


def test_bars_where_people_are_do_not_count():
    R = camera(5, 0)
    everywhere = np.ones_like(NOBODY)
    assert not len(edges_of(pictured(R, UP, 30), K, R, everywhere).lengths)
