"""Rays meet the nearest triangle, as exactly far from the origin as near it."""

import numpy as np
import pytest
from scipy.spatial import Delaunay

from stages.geometry.rays import RayCaster

DOWN = np.array([0.0, 0.0, -1.0])


def layers(*heights):
    """Horizontal squares of 2 x 2 m, one above the other, two triangles each."""
    square = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]], float)
    vertices = np.vstack([np.column_stack([square, np.full(4, z)]) for z in heights])
    faces = np.array([[0, 1, 2], [0, 2, 3]])
    return vertices, np.vstack([faces + 4 * layer for layer in range(len(heights))])


def down_from(points):
    return np.asarray(points, float), np.tile(DOWN, (len(points), 1))


def test_a_ray_ends_at_the_first_of_several_surfaces():
    hits = RayCaster(*layers(0.0, 0.5, 2.0)).first_hits(*down_from([[0.5, 0.2, 3], [0.5, 0.2, 1]]))
    np.testing.assert_allclose(hits.distance, [1.0, 0.5], atol=1e-6)
    assert (hits.triangle // 2 == [2, 1]).all()


def test_a_surface_is_met_from_both_sides():
    rays = RayCaster(*layers(0.0))
    hits = rays.first_hits(np.array([[0.2, 0.1, -0.4]]), -DOWN[None])
    np.testing.assert_allclose(hits.distance, [0.4], atol=1e-6)


def test_distances_are_in_lengths_of_the_direction():
    hits = RayCaster(*layers(0.0)).first_hits(np.array([[0.2, 0.1, 1.0]]), 0.25 * DOWN[None])
    np.testing.assert_allclose(hits.distance, [4.0], atol=1e-5)


def test_a_ray_past_everything_meets_nothing():
    rays = RayCaster(*layers(0.0))
    origins, directions = down_from([[0.2, 0.1, 1], [5, 0, 1], [0.2, 0.1, -1]])
    hits = rays.first_hits(origins, directions)
    assert np.isinf(hits.distance).tolist() == [False, True, True]
    assert (hits.triangle < 0).tolist() == [False, True, True]
    assert rays.hits_anything(origins, directions).tolist() == [True, False, False]


def test_without_a_mesh_nothing_is_met():
    rays = RayCaster(np.zeros((0, 3)), np.zeros((0, 3), int))
    assert np.isinf(rays.first_hits(*down_from([[0, 0, 1]])).distance).all()
    assert not rays.hits_anything(*down_from([[0, 0, 1]])).any()
    assert len(RayCaster(*layers(0.0)).first_hits(*down_from(np.zeros((0, 3)))).distance) == 0


@pytest.mark.parametrize("away_m", [0.0, 1e5])
def test_heights_are_exact_to_a_hundredth_of_a_millimetre(away_m):
    """A slope under which the true height of any place is known, with rays over many triangles."""
    x, y = np.meshgrid(np.linspace(-3, 3, 60), np.linspace(-3, 3, 60), indexing="ij")
    vertices = np.column_stack([x.ravel(), y.ravel(), (0.3 * x - 0.2 * y).ravel()])
    corner = (np.arange(59)[:, None] * 60 + np.arange(59)).ravel()
    faces = np.vstack(
        [
            np.column_stack([corner, corner + 60, corner + 1]),
            np.column_stack([corner + 1, corner + 60, corner + 61]),
        ]
    )
    places = np.random.default_rng(0).uniform(-2.9, 2.9, (5000, 2))
    above = np.column_stack([places, np.full(5000, 2.5)])
    shift = np.array([away_m, -away_m, away_m])
    hits = RayCaster(vertices + shift, faces).first_hits(*down_from(above + shift))
    height = 2.5 - hits.distance
    np.testing.assert_allclose(height, 0.3 * places[:, 0] - 0.2 * places[:, 1], atol=1e-5)


def test_no_ray_slips_through_along_the_edges_between_triangles():
    rng = np.random.default_rng(0)
    plan = rng.uniform(-2, 2, (500, 2))
    faces = Delaunay(plan).simplices
    vertices = np.column_stack([plan, 0.3 * rng.random(500)])
    edges = faces[(abs(plan) < 1.8).all(1)[faces].all(1), :2]
    places = vertices[edges].mean(1)
    origins = places + np.column_stack([rng.normal(size=(len(edges), 2)), np.full(len(edges), 3.0)])
    assert RayCaster(vertices, faces).hits_anything(origins, places - origins).all()
