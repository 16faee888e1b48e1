"""What of a reconstruction is taken for the ground around feet."""

import numpy as np
import pytest

from stages.artifacts.masks import write_frame
from stages.artifacts.world import WorldFrame, opened_world, write_world
from stages.geometry.rotations import matrix_from_rotvec
from stages.people.tracks import Cameras, Track
from stages.stage2_megahunter.scene_samples import sample_scene

K = np.array([[300.0, 0, 160], [0, 300.0, 90], [0, 0, 1]])
HEIGHT_M, COAT_M = 1.5, 0.3  # of the camera over the floor; of the person's lowest surface
R_CAMERA_WORLD = matrix_from_rotvec(np.array([np.deg2rad(20), 0, 0]))  # looks down, world y down
FOOT = np.array([160.0, 120.0])
NAME = "00001"


def level_depth(below_m):
    """z-depth of a level surface so far below the camera."""
    x, y = np.meshgrid(np.arange(320.0), np.arange(180.0))
    down = np.stack([(x - 160) / 300, (y - 90) / 300, np.ones_like(x)], -1) @ R_CAMERA_WORLD
    return np.where(down[..., 1] > 0.1, below_m / np.maximum(down[..., 1], 0.1), 15.0)


FLOOR, COAT = level_depth(HEIGHT_M), level_depth(HEIGHT_M - COAT_M)
AT_FOOT = np.zeros(FLOOR.shape, bool)
AT_FOOT[112:129, 145:176] = True  # most of the window around the foot


def heights_m(tmp_path, depth, measured, dynamic, sees_behind_people):
    """Heights over the floor of the surfaces that may be under the left foot."""
    size = depth.shape
    frame = WorldFrame(
        NAME,
        np.zeros((*size, 3), np.uint8),
        K.astype(np.float32),
        np.eye(4, dtype=np.float32),
        depth.astype(np.float32),
        (depth > 0).astype(np.float32),
        dynamic,
        np.eye(3)[:2],
        measured=measured,
    )
    write_world(tmp_path / "world.h5", [frame])
    write_frame(tmp_path / "masks", NAME, dynamic.astype(np.uint16), {1: 0.9})
    yes, up = np.ones(1, bool), R_CAMERA_WORLD @ [0.0, -1.0, 0.0]
    rotmats = np.tile(np.eye(3), (1, 24, 1, 1))
    rotmats[0, 0] = R_CAMERA_WORLD @ np.diag([1.0, -1.0, -1.0])
    track = Track(
        1, yes, yes, np.tile(FOOT, (1, 18, 1)), np.ones((1, 18)),
        np.array([[130.0, 20.0, 190.0, 125.0]]), rotmats, np.zeros(10), np.ones((1, 2), bool),
    )  # fmt: skip
    cameras = Cameras(K[None], np.eye(4)[None], np.eye(3)[:2], np.zeros(1))
    with opened_world(tmp_path / "world.h5") as (world, _):
        (samples,) = sample_scene(
            world, cameras, [track], tmp_path / "masks", 0.15, sees_behind_people
        )
    offered = samples.ground_weights[0, 0] > 0
    return HEIGHT_M + samples.ground_points[0, 0][offered] @ up


@pytest.mark.parametrize("sees_behind_people", [True, False])
def test_people_are_no_ground(tmp_path, sees_behind_people):
    depth, everywhere = np.where(AT_FOOT, COAT, FLOOR), np.ones(FLOOR.shape, bool)
    found = heights_m(tmp_path, depth, everywhere, AT_FOOT, sees_behind_people)
    np.testing.assert_allclose(found, [0.0], atol=0.01)


def test_the_place_behind_people_is_ground_where_the_method_knows_it(tmp_path):
    depth = np.where(AT_FOOT, FLOOR, 0.0)
    found = heights_m(tmp_path, depth, ~AT_FOOT, AT_FOOT, True)
    np.testing.assert_allclose(found, [0.0], atol=0.01)


def test_what_a_method_makes_up_where_people_are_is_no_ground(tmp_path):
    depth = np.where(AT_FOOT, FLOOR, 0.0)
    assert len(heights_m(tmp_path, depth, ~AT_FOOT, AT_FOOT, False)) == 0


@pytest.mark.parametrize("sees_behind_people", [True, False])
def test_depth_that_is_not_of_what_a_pixel_shows_is_no_ground(tmp_path, sees_behind_people):
    depth, nobody = np.where(AT_FOOT, COAT, FLOOR), np.zeros(FLOOR.shape, bool)
    found = heights_m(tmp_path, depth, ~AT_FOOT, nobody, sees_behind_people)
    np.testing.assert_allclose(found, [0.0], atol=0.01)
