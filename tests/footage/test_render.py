from dataclasses import replace

import numpy as np
import pytest
import torch

from tests.footage.worlds import camera_at, standing
from tools.footage.raycast import FIRST_BOX, FLOOR
from tools.footage.render import render
from tools.footage.scenes import sample_scene
from tools.footage.skinning import smpl45, wholebody133
from tools.footage.visibility import HIDDEN, OUT_OF_FRAME, VISIBLE, keypoint_visibility

HEIGHT, WIDTH = 120, 160


@pytest.fixture(scope="module")
def scene():
    return sample_scene("jump_box", 102)


@pytest.fixture(scope="module")
def rendered(body, scene):
    people = standing(body, [(0.0, 0.0)])
    cameras = camera_at((1.2, -2.6, 1.4), (0.0, 0.0, 0.85))
    return people, cameras, render(body, scene.batch, people, cameras, HEIGHT, WIDTH)


def world_points(cameras, depth_m):
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    K, T = cameras.K[0].double().numpy(), cameras.T_world_camera[0].double().numpy()
    rays = np.stack([x, y, np.ones_like(x)], -1) @ np.linalg.inv(K).T
    return (rays * depth_m[0].double().numpy()[..., None]) @ T[:3, :3].T + T[:3, 3]


def test_floor_depth_leads_back_to_the_floor(rendered):
    _, cameras, out = rendered
    floor = out.surface_ids[0].numpy() == FLOOR
    assert floor.sum() > 2000
    assert np.abs(world_points(cameras, out.depth_m)[floor][:, 2]).max() < 2e-3


def test_box_depth_leads_back_to_the_box_surface(rendered, scene):
    _, cameras, out = rendered
    block = scene.terrain.steps[0]
    on_box = out.surface_ids[0].numpy() == FIRST_BOX
    assert on_box.sum() > 100
    points = world_points(cameras, out.depth_m)[on_box]
    local = np.abs(block.local_xy(points[:, :2])) - [block.half_length_m, block.half_width_m]
    outside = np.column_stack([local, points[:, 2] - block.top_m, -points[:, 2]]).max(1)
    assert np.abs(outside).max() < 3e-3


def test_depth_on_the_person_lies_on_the_mesh(rendered):
    people, cameras, out = rendered
    seen = out.person_ids[0].numpy() == 1
    points = torch.as_tensor(world_points(cameras, out.depth_m)[seen], dtype=torch.float32)
    nearest = torch.cdist(points, people.vertices_m[0, 0]).amin(1)
    assert nearest.max() < 0.04  # half the longest edge or so


def test_joints_project_into_the_mask(body, rendered):
    people, cameras, out = rendered
    pixels, _ = cameras.project(smpl45(body, people))
    x, y = pixels[0, 0].round().long().unbind(-1)
    mask = torch.nn.functional.max_pool2d(out.person_ids.float()[None], 3, 1, 1)[0, 0]
    assert mask[y, x].bool().all()


def test_ids_are_zero_where_the_place_is_seen_and_never_mix(rendered):
    _, _, out = rendered
    person = out.person_ids > 0
    assert (out.surface_ids[person] == 0).all()
    assert (out.surface_ids[~person & (out.depth_m > 0)] > 0).all()
    assert (out.depth_m[person] > 0).all()


@pytest.mark.tools
def test_the_nearer_person_covers_the_farther(body, scene):
    people = standing(body, [(0.0, 0.5), (0.0, -0.5)])
    cameras = camera_at((0.0, -3.5, 1.2), (0.0, 0.0, 0.9))
    both = render(body, scene.batch, people, cameras, HEIGHT, WIDTH).person_ids
    far_alone = standing(body, [(0.0, 0.5), (0.0, -0.5)], present=[True, False])
    far = render(body, scene.batch, far_alone, cameras, HEIGHT, WIDTH).person_ids
    assert (both == 2).sum() > 500
    assert (both == 1).sum() < 0.5 * (far == 1).sum()
    assert set(far.unique().tolist()) == {0, 1}


def test_hidden_keypoints_are_told_from_visible_ones(body, scene):
    people = standing(body, [(0.0, 0.5), (0.0, -0.5)])
    cameras = camera_at((0.0, -3.5, 1.2), (0.0, 0.0, 0.9))
    empty = replace(scene.batch, box_present=torch.zeros_like(scene.batch.box_present))
    out = render(body, empty, people, cameras, HEIGHT, WIDTH)
    _, states = keypoint_visibility(out, cameras, wholebody133(body, people))
    right_side = [6, 8, 14, 16]  # shoulder, elbow, knee, ankle, towards the camera
    assert (states[0, 1, right_side] == VISIBLE).all()
    assert (states[0, 0, [6, 12, 14]] == HIDDEN).all()


@pytest.mark.tools
def test_keypoints_beyond_the_frame_are_out_of_frame(body, scene):
    people = standing(body, [(0.0, 0.0)])
    cameras = camera_at((0.0, -1.2, 1.5), (0.0, 0.0, 1.5))
    out = render(body, scene.batch, people, cameras, HEIGHT, WIDTH)
    _, states = keypoint_visibility(out, cameras, wholebody133(body, people))
    assert (states[0, 0, [15, 16, 17]] == OUT_OF_FRAME).all()


def test_a_crop_shows_the_same_as_the_frame(body, scene, rendered):
    people, cameras, whole = rendered
    A = torch.tensor([[1.0, 0, -50], [0, 1, -20], [0, 0, 1]])[None]
    crop = render(body, scene.batch, people, cameras.cropped(A), 80, 60)
    window = (slice(None), slice(20, 100), slice(50, 110))
    assert (crop.person_ids == whole.person_ids[window]).float().mean() > 0.999
    torch.testing.assert_close(crop.depth_m, whole.depth_m[window], rtol=1e-3, atol=1e-3)


def test_a_mirroring_crop_shows_the_mirrored_person(body, scene, rendered):
    people, cameras, whole = rendered
    A = torch.tensor([[-1.0, 0, WIDTH - 1], [0, 1, 0], [0, 0, 1]])[None]
    mirrored = render(body, scene.batch, people, cameras.cropped(A), HEIGHT, WIDTH)
    assert (mirrored.person_ids == whole.person_ids.flip(2)).float().mean() > 0.999


def test_the_same_input_gives_the_same_picture(body, scene, rendered):
    people, cameras, first = rendered
    again = render(body, scene.batch, people, cameras, HEIGHT, WIDTH)
    assert torch.equal(first.rgb, again.rgb) and torch.equal(first.depth_m, again.depth_m)


@pytest.mark.tools
def test_a_batch_gives_what_its_images_give_alone(body, scene, rendered):
    people, cameras, alone = rendered
    other = camera_at((-1.5, -2.0, 1.6), (0.0, 0.0, 0.85))
    both = type(cameras).cat([other, cameras])
    out = render(body, scene.batch.repeated(2), people.repeated(2), both, HEIGHT, WIDTH)
    assert (out.person_ids[1] == alone.person_ids[0]).float().mean() > 0.9999
    difference = (out.rgb[1].int() - alone.rgb[0].int()).abs().float()
    assert difference.mean() < 0.1


def test_a_person_darkens_the_floor_where_the_sun_is_blocked(body, scene, rendered):
    people, cameras, _ = rendered
    lit, bare = (
        render(body, scene.batch, people, cameras, HEIGHT, WIDTH, supersample=1, shadows=shadows)
        for shadows in (True, False)
    )
    darker = (bare.rgb.float().mean(-1) - lit.rgb.float().mean(-1))[lit.surface_ids == FLOOR]
    assert (darker > 8).sum() > 30 and darker.min() > -1
