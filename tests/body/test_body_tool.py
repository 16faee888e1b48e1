"""Closing and thinning a surface keep it whole and symmetric."""

import numpy as np
import pytest
import trimesh

from tools.body.decimate import decimate
from tools.body.shapes import shape_space
from tools.body.surface import boundary_loops, close_skin


def symmetric_sphere() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A sphere whose triangles mirror each other and do not cross the middle."""
    corners = np.concatenate([np.eye(3), -np.eye(3)])
    mesh = trimesh.Trimesh(corners, process=False).convex_hull
    for _ in range(3):
        mesh = mesh.subdivide()
    vertices = np.asarray(mesh.vertices)
    vertices = vertices / np.linalg.norm(vertices, axis=1, keepdims=True)
    faces = np.asarray(mesh.faces)
    apart = np.linalg.norm(vertices[:, None] * [-1, 1, 1] - vertices[None], axis=2)
    assert apart.min(0).max() < 1e-9
    return vertices, faces, apart.argmin(0)


def test_thinning_reaches_the_count_and_leaves_a_closed_symmetric_surface():
    vertices, faces, mirror = symmetric_sphere()
    kept, thinned = decimate(faces, vertices, mirror, np.ones(len(vertices)), 120, set())
    assert len(kept) == 120 and set(np.unique(thinned)) == set(kept)
    assert set(mirror[kept]) == set(kept)
    mesh = trimesh.Trimesh(vertices, thinned, process=False)
    assert mesh.is_watertight and mesh.is_winding_consistent
    assert mesh.volume == pytest.approx(4 / 3 * np.pi, rel=0.1)


def test_important_and_protected_vertices_survive():
    vertices, faces, mirror = symmetric_sphere()
    upper = vertices[:, 1] > 0
    importance = np.where(upper, 4.0, 1.0)
    protected = {int(np.argmin(vertices[:, 1]))}
    kept, _ = decimate(faces, vertices, mirror, importance, 120, protected)
    assert protected <= set(kept)
    assert upper[kept].sum() > 2 * (~upper[kept]).sum()


def test_openings_are_closed_by_what_is_there():
    vertices, faces, mirror = symmetric_sphere()
    hidden = (vertices[faces, 1] > 0.7).any(axis=1)
    assert len(boundary_loops(faces[~hidden])) == 1
    closed = close_skin(faces, hidden, vertices, (0, int(mirror[0])), mirror, reach_m=0)
    mesh = trimesh.Trimesh(vertices, closed, process=False)
    assert mesh.is_watertight and mesh.is_winding_consistent


def test_shape_directions_have_unit_spread_and_lead_with_stature():
    vertices, faces, _ = symmetric_sphere()
    rng = np.random.default_rng(0)
    taller, wider = rng.normal(0, 0.1, 200), rng.normal(0, 0.03, 200)
    size = np.stack([1 + wider, 1 + taller, 1 + wider], axis=1)
    samples = vertices * size[:, None]
    space = shape_space(samples, samples[:, :2], faces, count=2)
    assert np.ptp(space.shapedirs[:, 1, 0]) == pytest.approx(2 * taller.std(), rel=0.05)
    assert space.left_out_m < 1e-6
    top = int(np.argmax(space.v_template[:, 1]))
    assert space.shapedirs[top, 1, 0] > 0
    np.testing.assert_allclose(space.joint_directions, space.shapedirs[:2], atol=1e-9)
