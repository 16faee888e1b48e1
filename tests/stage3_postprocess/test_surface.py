"""Normals, outliers, surface and its parts, on clouds whose answers are known."""

import numpy as np
import pytest

from stages.stage3_postprocess.clouds import Cloud
from stages.stage3_postprocess.surface import (
    largest_component,
    normals_towards_cameras,
    poisson,
    trimmed,
    without_outliers,
)

VOXEL_M = 0.025


def cloud(points, towards_camera=(0.0, 0.0, 1.0)):
    points = np.asarray(points, float)
    count = len(points)
    return Cloud(
        points,
        np.zeros((count, 3), np.uint8),
        np.tile(towards_camera, (count, 1)),
        np.ones(count, int),
    )


def sheet(cells=30):
    """Points of a plane that falls with x, a voxel apart."""
    x, y = np.meshgrid(*[VOXEL_M * np.arange(cells)] * 2)
    return np.column_stack([x.ravel(), y.ravel(), -0.5 * x.ravel()])


def ball(count=6000, radius_m=0.5):
    """Points evenly on a sphere (Fibonacci's spiral), which are normals too."""
    z = 1 - (2 * np.arange(count) + 1) / count
    turn = np.pi * (3 - np.sqrt(5)) * np.arange(count)
    normals = np.column_stack([*(np.sqrt(1 - z**2) * [np.cos(turn), np.sin(turn)]), z])
    return radius_m * normals, normals


@pytest.mark.parametrize("side", [1.0, -1.0])
def test_normals_are_those_of_the_plane_on_the_cameras_side(side):
    normals = normals_towards_cameras(cloud(sheet(), (0.0, 0.0, side)))
    expected = side * np.array([0.5, 0, 1]) / 1.25**0.5
    np.testing.assert_allclose(normals, np.tile(expected, (900, 1)), atol=1e-9)


def test_normals_are_of_what_is_within_twelve_centimetres():
    wall = np.column_stack([np.full(900, 0.86), sheet()[:, 1], sheet()[:, 0]])
    floor = sheet() * [1, 1, 0]
    normals = normals_towards_cameras(cloud(np.vstack([floor, wall]), (-0.7, 0.0, 0.7)))
    np.testing.assert_allclose(normals[:900], np.tile([0, 0, 1], (900, 1)), atol=1e-9)


def test_a_point_above_a_plane_has_the_planes_normal():
    floor = sheet() * [1, 1, 0]
    normals = normals_towards_cameras(cloud(np.vstack([floor, [[0.36, 0.36, 0.1]]])))
    np.testing.assert_allclose(normals[-1], [0, 0, 1], atol=0.1)


def test_a_lonely_point_faces_its_cameras():
    points = np.vstack([sheet(), [[5.0, 5.0, 5.0], [5.05, 5.0, 5.0]]])
    normals = normals_towards_cameras(cloud(points, (0.6, 0.0, 0.8)))
    np.testing.assert_allclose(normals[-2:], np.tile([0.6, 0.0, 0.8], (2, 1)))


def test_a_point_far_from_the_others_goes_and_they_stay():
    kept = without_outliers(cloud(np.vstack([sheet(), [[0.3, 0.3, 0.5]]])))
    assert len(kept.points) > 890
    assert kept.points[:, 2].max() < 0.01


def test_points_that_are_all_alike_all_stay():
    assert len(without_outliers(cloud(np.zeros((50, 3)))).points) == 50


def test_the_surface_of_a_ball_is_a_closed_ball():
    points, normals = ball()
    vertices, faces = poisson(points, normals, VOXEL_M)
    radius = np.linalg.norm(vertices, axis=1)
    assert abs(radius - 0.5).max() < 0.2 * VOXEL_M
    edges = np.sort(faces[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2), axis=1)
    assert (np.unique(edges, axis=0, return_counts=True)[1] == 2).all()


def test_the_surface_is_the_same_each_time():
    points, normals = ball()
    first, second = (poisson(points, normals, VOXEL_M) for _ in range(2))
    assert np.array_equal(first[0], second[0])
    assert np.array_equal(first[1], second[1])


def test_only_the_surface_near_points_stays():
    x, y = np.meshgrid([0.0, 1.0, 2.0, 3.0], [0.0, 1.0], indexing="ij")
    vertices = np.column_stack([x.ravel(), y.ravel(), np.zeros(8)])
    faces = np.array([[0, 1, 2], [1, 3, 2], [2, 3, 4], [3, 5, 4], [4, 5, 6], [5, 7, 6]])
    left, kept = trimmed((vertices, faces), vertices[:4] + 0.1, reach_m=0.2)
    np.testing.assert_array_equal(left, vertices[:4])
    np.testing.assert_array_equal(kept, faces[:2])
    assert len(trimmed((vertices, faces), vertices + 9.0, reach_m=0.2)[1]) == 0


def test_the_part_with_most_triangles_is_kept_and_a_common_corner_joins_none():
    plane = np.array([[0, 0], [1, 0], [1, 1], [0, 1], [-1, 0], [-1, -1]], float)
    vertices = np.column_stack([plane, np.zeros(6)])
    square, corner_only = [[0, 1, 2], [0, 2, 3]], [[0, 4, 5]]
    left, kept = largest_component((vertices, np.array(corner_only + square)))
    np.testing.assert_array_equal(left, vertices[:4])
    np.testing.assert_array_equal(kept, square)
