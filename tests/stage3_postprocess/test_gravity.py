"""Which way is up."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stages.geometry.rotations import matrix_from_rotvec
from stages.stage3_postprocess.geocalib_gravity import robust_mean_direction, up_from_roll_pitch
from stages.stage3_postprocess.gravity import body_up, level_direction, surface_normals
from stages.stage3_postprocess.levelling import R_zup_from_up


def angle_deg(a: np.ndarray, b: np.ndarray) -> float:
    cosine = a @ b / np.linalg.norm(a) / np.linalg.norm(b)
    return float(np.degrees(np.arccos(np.clip(cosine, -1, 1))))


def scattered(direction, count, degrees, rng):
    tilts = rng.normal(0, np.radians(degrees), (count, 3))
    return matrix_from_rotvec(tilts) @ np.asarray(direction, float)


def room(rng, up, lean_deg=8.0):
    """Normals of a floor, of three walls and of clutter, and a leaning person's axis."""
    R = np.stack([np.cross([0, 1, 0.3], up), np.cross(up, np.cross([0, 1, 0.3], up)), up], 1)
    R /= np.linalg.norm(R, axis=0)
    floor = scattered(up, 1500, 2.0, rng) * rng.choice([-1, 1], (1500, 1))
    walls = np.vstack([scattered(R[:, 0], 1500, 2.0, rng), scattered(R[:, 1], 800, 2.0, rng)])
    clutter = rng.normal(size=(1000, 3))
    clutter /= np.linalg.norm(clutter, axis=1, keepdims=True)
    axis = matrix_from_rotvec(R[:, 0] * np.radians(lean_deg)) @ up
    return np.vstack([floor, walls, clutter]), axis


@given(seed=st.integers(0, 1000), lean=st.floats(-15, 15))
def test_the_floor_gives_up_within_half_a_degree_though_the_person_leans(seed, lean):
    rng = np.random.default_rng(seed)
    up = rng.normal(size=3)
    up /= np.linalg.norm(up)
    normals, axis = room(rng, up, lean)
    estimate = level_direction(normals, axis)
    assert angle_deg(estimate.direction, up) < 0.5
    assert "surfaces" in estimate.method


def test_without_level_surfaces_the_bodies_decide_and_it_is_said():
    rng = np.random.default_rng(0)
    walls = scattered([1.0, 0, 0], 2000, 2.0, rng)
    estimate = level_direction(walls, np.array([0, 0, 1.0]))
    assert np.allclose(estimate.direction, [0, 0, 1])
    assert "bodies alone" in estimate.method


def test_without_any_surface_the_bodies_decide():
    estimate = level_direction(np.zeros((0, 3)), np.array([0, 0, 1.0]))
    assert np.allclose(estimate.direction, [0, 0, 1])


def test_the_bodies_axis_is_a_median_that_a_fall_does_not_move():
    pelvis = np.zeros((50, 3))
    neck = np.tile([0.0, 0.0, 0.5], (50, 1))
    neck[:15] = [0.5, 0, 0]
    assert angle_deg(body_up(pelvis, neck), np.array([0, 0, 1.0])) < 1e-6
    with pytest.raises(ValueError, match="no frame"):
        body_up(pelvis[:0], neck[:0])


def test_surface_normals_of_a_tilted_plane_are_its_normal_and_edges_give_none():
    y, x = np.mgrid[0:80, 0:100].astype(float)
    plane = np.dstack([x * 0.01, y * 0.01, 2 + 0.004 * x - 0.003 * y])
    normal = np.array([-0.4, 0.3, 1.0]) / np.linalg.norm([-0.4, 0.3, 1.0])
    _, normals = surface_normals(plane, np.ones((80, 100), bool))
    assert len(normals) > 300
    assert all(min(angle_deg(n, normal), angle_deg(-n, normal)) < 1e-3 for n in normals)
    step = plane.copy()
    step[:, 50:, 2] += 1.0
    centres, _ = surface_normals(step, np.ones((80, 100), bool))
    assert not np.any(np.abs(centres[:, 0] - 0.5) < 0.035)


def test_patches_over_holes_are_left_out():
    points = np.random.default_rng(0).normal(size=(40, 40, 3))
    assert len(surface_normals(points, np.zeros((40, 40), bool))[1]) == 0


@given(seed=st.integers(0, 1000))
def test_the_levelled_world_has_up_along_z_and_the_camera_heading_along_y(seed):
    rng = np.random.default_rng(seed)
    R_world_camera = matrix_from_rotvec(rng.normal(size=3))
    up = rng.normal(size=3)
    R = R_zup_from_up(up, R_world_camera)
    assert np.allclose(R @ R.T, np.eye(3), atol=1e-9)
    assert np.linalg.det(R) > 0
    assert np.allclose(R @ up / np.linalg.norm(up), [0, 0, 1], atol=1e-9)
    heading = R @ R_world_camera[:, 2]
    assert abs(heading[0]) < 1e-6 or abs(heading[2]) > 0.99
    assert heading[1] > -1e-9 or abs(heading[2]) > 0.99


def test_roll_and_pitch_undo_the_rotation_that_levels_the_camera():
    roll, pitch = 0.2, -0.3
    level = matrix_from_rotvec(np.array([pitch, 0, 0])) @ matrix_from_rotvec(np.array([0, 0, roll]))
    assert np.allclose(level @ up_from_roll_pitch(roll, pitch), [0, -1, 0])


def test_the_frames_vote_on_gravity_ignores_wrong_frames():
    rng = np.random.default_rng(1)
    votes = np.vstack([scattered([0, 0, 1.0], 6, 0.5, rng), [[1, 0, 0], [0, 1, 0]]])
    mean, spread = robust_mean_direction(votes)
    assert angle_deg(mean, np.array([0, 0, 1.0])) < 1.0
    assert spread < 2
