"""Height fields and rays against meshes."""

import jax
import jax.numpy as jnp
import numpy as np
import trimesh

from stages.robot.terrain import Terrain, ground_at, raised_near_edges

STEP_M = 0.3


def floor_and_box():
    """A floor from -2 to 2 at height 0 with a box of 0.3 m on it, from 0.5 to 1.5 in x."""
    floor = trimesh.creation.box(extents=(4, 4, 0.1))
    floor.apply_translation((0, 0, -0.05))
    box = trimesh.creation.box(extents=(1, 1, STEP_M))
    box.apply_translation((1.0, 0, STEP_M / 2))
    return Terrain(*_arrays(trimesh.util.concatenate([floor, box])))


def _arrays(mesh):
    return np.asarray(mesh.vertices), np.asarray(mesh.faces)


def field_of(terrain, ceiling_m=2.0):
    return terrain.height_field(np.array([-1.5, -1.5]), np.array([1.8, 1.5]), ceiling_m)


def test_heights_are_those_of_the_top_surface():
    field = field_of(floor_and_box())
    height, known = ground_at(field, jnp.array([[-1.0, 0.0], [1.0, 0.2], [1.0, 1.0]]))
    np.testing.assert_allclose(height, [0, STEP_M, 0], atol=1e-5)
    assert (np.asarray(known) == 1).all()


def test_a_ceiling_above_people_does_not_count():
    roof = trimesh.creation.box(extents=(4, 4, 0.1))
    roof.apply_translation((0, 0, 2.5))
    ground = trimesh.creation.box(extents=(4, 4, 0.1))
    ground.apply_translation((0, 0, -0.05))
    field = field_of(Terrain(*_arrays(trimesh.util.concatenate([ground, roof]))), ceiling_m=2.0)
    height, _ = ground_at(field, jnp.array([[0.0, 0.0]]))
    assert abs(float(height[0])) < 1e-5


def test_slopes_are_differentiable():
    vertices = np.array([[-2, -2, -0.5], [2, -2, 0.5], [2, 2, 0.5], [-2, 2, -0.5]], float)
    terrain = Terrain(vertices, np.array([[0, 1, 2], [0, 2, 3]]))
    field = field_of(terrain)
    gradient = jax.grad(lambda xy: ground_at(field, xy[None])[0][0])(jnp.array([0.3, 0.1]))
    np.testing.assert_allclose(gradient, [0.25, 0.0], atol=1e-3)


def test_holes_are_unknown_and_filled_from_around():
    vertices = np.array([[-2, -2, 0.2], [0, -2, 0.2], [0, 2, 0.2], [-2, 2, 0.2]], float)
    field = field_of(Terrain(vertices, np.array([[0, 1, 2], [0, 2, 3]])))
    height, known = ground_at(field, jnp.array([[-1.0, 0.0], [1.0, 0.0]]))
    np.testing.assert_allclose(known, [1, 0])
    np.testing.assert_allclose(height, 0.2, atol=1e-5)


def test_no_mesh_at_all_is_unknown_everywhere():
    terrain = Terrain(np.zeros((0, 3)), np.zeros((0, 3), int))
    field = field_of(terrain)
    assert float(field.known.sum()) == 0
    assert np.isfinite(field.heights).all()
    assert np.isnan(terrain.surface_at(np.zeros((2, 3)))).all()


def test_a_large_place_gets_larger_cells_not_a_larger_grid():
    small = field_of(floor_and_box())
    large = floor_and_box().height_field(np.array([-30.0, -2]), np.array([30.0, 2]), 2.0)
    assert small.heights.shape == large.heights.shape
    assert float(large.cell) > float(small.cell)
    height, _ = ground_at(large, jnp.array([[1.0, 0.0]]))
    np.testing.assert_allclose(height, STEP_M, atol=1e-4)


def test_the_surface_under_a_sunken_foot_is_found_above_it():
    vertices = np.array([[-2, -2, 0.2], [2, -2, 0.2], [2, 2, 0.2], [-2, 2, 0.2]], float)
    terrain = Terrain(vertices, np.array([[0, 1, 2], [0, 2, 3]]))
    heights = terrain.surface_at(np.array([[0, 0, 0.25], [0, 0, 0.15], [0, 0, -0.3], [9, 9, 0]]))
    np.testing.assert_allclose(heights[:3], 0.2, atol=1e-6)
    assert np.isnan(heights[3])


def test_heights_are_exact_on_large_triangles():
    vertices = np.array([[-2, -2, 0.0], [2, -2, 1.0], [2, 2, 1.0], [-2, 2, 0.0]], float)
    terrain = Terrain(vertices, np.array([[0, 1, 2], [0, 2, 3]]))
    np.testing.assert_allclose(terrain.surface_at(np.array([[1.0, 0.3, 0.9]])), 0.75, atol=1e-5)


def test_edges_are_raised_on_their_lower_side_only():
    field = field_of(floor_and_box())
    raised = raised_near_edges(field, 0.03)
    points = jnp.array([[0.485, 0.0], [0.4, 0.0], [0.6, 0.0]])
    height, _ = ground_at(raised, points)
    np.testing.assert_allclose(height, [STEP_M, 0, STEP_M], atol=1e-5)
