import numpy as np
import pytest
import trimesh

from stages.geometry.block_terrain import Block, Terrain
from tools.footage.scenes import KINDS, sample_scene
from tools.footage.terrain_mesh import exposed_surface, write_obj

STAIRS = Terrain(
    "stairs",
    steps=tuple(Block((1.15 + 0.3 * n, 0.0), 0.15, 0.6, 0.16 * (n + 1)) for n in range(3)),
    objects=(Block((0.0, 1.5), 0.3, 0.2, 0.5, yaw_rad=0.6),),
)


def test_height_is_the_highest_surface_over_a_point():
    points = [[0.0, 0.0], [1.15, 0.5], [1.46, 0.0], [1.89, -0.59], [1.91, 0.0], [0.0, 1.5]]
    np.testing.assert_allclose(STAIRS.height_at(points), [0, 0.16, 0.32, 0.48, 0, 0.5])


def test_a_turned_block_covers_its_corners_and_not_beyond():
    block = STAIRS.objects[0]
    towards = block.corners()[:4, :2] - block.centre_xy_m
    assert block.covers(block.centre_xy_m + 0.99 * towards).all()
    assert not block.covers(block.centre_xy_m + 1.01 * towards).any()


def test_the_mesh_holds_only_what_can_be_seen_from_above_or_beside():
    mesh = trimesh.Trimesh(*exposed_surface(STAIRS), process=False)
    points, face = trimesh.sample.sample_surface(mesh, 4000, seed=0)
    just_off = points + 2e-3 * mesh.face_normals[face]
    assert (just_off[:, 2] > STAIRS.height_at(just_off[:, :2])).mean() > 0.999


def test_the_mesh_covers_the_whole_place():
    mesh = trimesh.Trimesh(*exposed_surface(STAIRS), process=False)
    xy = np.random.default_rng(0).uniform(-2, 2.5, (300, 2))
    rays = np.column_stack([xy, np.full(len(xy), 5.0)])
    hits, ray, _ = mesh.ray.intersects_location(rays, np.tile([0, 0, -1.0], (len(xy), 1)), False)
    heights = np.full(len(xy), -np.inf)
    np.maximum.at(heights, ray, hits[:, 2])
    np.testing.assert_allclose(heights, STAIRS.height_at(xy), atol=1e-6)


def test_the_obj_file_holds_the_mesh(tmp_path):
    vertices, faces = exposed_surface(STAIRS)
    write_obj(tmp_path / "terrain.obj", vertices, faces)
    mesh = trimesh.load(tmp_path / "terrain.obj", force="mesh", process=False)
    np.testing.assert_allclose(mesh.triangles, vertices[faces], atol=1e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_stands_on_the_path(kind):
    for seed in range(1_000_000, 1_000_005):
        terrain = sample_scene(kind, seed).terrain
        along = np.linspace(terrain.start_xy_m, [3.0, 0.0], 50)
        for block in terrain.objects:
            gap = np.abs(block.local_xy(along)) - [block.half_length_m, block.half_width_m]
            assert gap.max(1).min() > 0.4


def test_a_seed_always_gives_the_same_scene_and_another_seed_another():
    first, again, other = (sample_scene("stairs", seed) for seed in (101, 101, 103))
    assert first.terrain == again.terrain and first.terrain != other.terrain
    assert first.batch.materials.colours.equal(again.batch.materials.colours)


def test_an_unknown_kind_is_refused_with_the_choices():
    with pytest.raises(ValueError, match="jump_box, stairs, flat, two_people"):
        sample_scene("pool", 1)
