"""Cameras from pictures alone, and plain refusals where pictures cannot tell."""

import numpy as np
import pytest

from stages.artifacts.images import list_images, write_image
from stages.artifacts.masks import write_frame
from stages.cameras.frames import Frames, choose_frames, grown
from stages.geometry.alignment import align
from stages.running import VideoError
from stages.stage1_sfm.cameras import (
    key_frames,
    require_parallax,
    require_short_gaps,
    solve_cameras,
)
from stages.stage1_sfm.parallax import homography_residuals
from stages.stage1_sfm.registration import interpolated_pose, projected, resected


def write_frames(folder, images) -> None:
    for number, image in enumerate(images, 1):
        write_image(folder / f"{number:05d}.png", np.repeat(image[..., None], 3, 2))


def folder_of_frames(folder) -> Frames:
    return choose_frames(folder, None, 0, -1, 1)


@pytest.fixture(scope="module")
def solved(place, walk, tmp_path_factory):
    """The walk's cameras, from frames with a patch that moves on its own and is masked."""
    folder = tmp_path_factory.mktemp("walk")
    rng = np.random.default_rng(0)
    person = rng.integers(0, 255, (70, 30)).astype(np.uint8)
    for number, T in enumerate(walk, 1):
        image, _ = place.look(T)
        ids = np.zeros(image.shape, np.uint16)
        left = 250 - 14 * number
        image[90:160, left : left + 30], ids[90:160, left : left + 30] = person, 1
        write_image(folder / "images" / f"{number:05d}.png", np.repeat(image[..., None], 3, 2))
        write_frame(folder / "masks", f"{number:05d}", ids, {1: 1.0})
    frames = choose_frames(folder / "images", folder / "masks", 0, -1, 1)
    workspace = folder / "workspace"
    workspace.mkdir()
    return solve_cameras(frames, workspace, 2)


def test_every_frame_is_registered_and_the_focal_length_found(solved, place):
    assert solved.registered.all()
    assert abs(solved.focal_px / place.focal_px - 1) < 0.03


def test_the_path_is_that_of_the_camera_up_to_scale(solved, walk):
    centres = np.linalg.inv(solved.Ts_camera_world)[:, :3, 3]
    scale, R, t = align(centres, walk[:, :3, 3])
    error = np.linalg.norm(scale * centres @ R.T + t - walk[:, :3, 3], axis=1)
    length = np.linalg.norm(np.diff(walk[:, :3, 3], axis=0), axis=1).sum()
    assert error.max() < 0.01 * length


def test_the_world_is_the_first_camera_and_of_the_usual_size(solved):
    np.testing.assert_allclose(solved.Ts_camera_world[0], np.eye(4), atol=1e-9)
    assert 1.5 < np.median(solved.points[:, 2]) < 6


def test_a_camera_that_stands_still_is_refused_with_what_to_do(place, walk, tmp_path):
    rng = np.random.default_rng(0)
    image, _ = place.look(walk[0])
    noisy = [
        np.clip(image + rng.normal(0, 3, image.shape), 0, 255).astype(np.uint8) for _ in range(10)
    ]
    write_frames(tmp_path / "images", noisy)
    (tmp_path / "workspace").mkdir()
    with pytest.raises(VideoError, match=r"does not move enough.* px are needed; film while"):
        solve_cameras(folder_of_frames(tmp_path / "images"), tmp_path / "workspace", 2)


def test_a_camera_that_only_turns_is_refused(place, walk, tmp_path):
    poses = walk.copy()
    poses[:, :3, 3] = 0
    write_frames(tmp_path / "images", [place.look(T)[0] for T in poses])
    (tmp_path / "workspace").mkdir()
    with pytest.raises(VideoError, match="does not move enough"):
        solve_cameras(folder_of_frames(tmp_path / "images"), tmp_path / "workspace", 2)


def test_pictures_without_texture_are_refused(tmp_path):
    write_frames(tmp_path / "images", [np.full((184, 320), 90, np.uint8)] * 9)
    (tmp_path / "workspace").mkdir()
    with pytest.raises(VideoError, match="without texture"):
        solve_cameras(folder_of_frames(tmp_path / "images"), tmp_path / "workspace", 2)


def test_five_frames_are_refused(tmp_path):
    write_frames(tmp_path, [np.zeros((40, 60), np.uint8)] * 5)
    with pytest.raises(VideoError, match=r"gives 5 frames.* at least 8"):
        solve_cameras(folder_of_frames(tmp_path), tmp_path, 1)


def test_a_frame_of_another_size_is_refused_by_name(tmp_path):
    write_frames(tmp_path, [np.zeros((40, 60), np.uint8), np.zeros((44, 60), np.uint8)])
    frames = folder_of_frames(tmp_path)
    with pytest.raises(VideoError, match=r"00002.png is 60x44 but the first frame is 60x40"):
        frames.grey(1)


def test_no_frame_in_the_asked_range_is_refused(tmp_path):
    write_frames(tmp_path, [np.zeros((40, 60), np.uint8)] * 3)
    with pytest.raises(VideoError, match="has 3 frames, none of them from 5"):
        choose_frames(tmp_path, None, 5, -1, 1)


def test_frames_are_chosen_by_place_with_the_end_left_out(tmp_path):
    write_frames(tmp_path, [np.zeros((40, 60), np.uint8)] * 9)
    chosen = choose_frames(tmp_path, None, 1, 8, 3)
    assert [image.name for image in chosen.images] == ["00002", "00005", "00008"]
    assert len(list_images(tmp_path)) == 9


@pytest.mark.parametrize("count", [8, 9, 36, 100, 254, 1000])
def test_key_frames_begin_and_end_the_clip_and_are_never_far_apart(count):
    keys = key_frames(count)
    assert keys[0] == 0 and keys[-1] == count - 1
    assert np.diff(keys).min() >= 1 and np.diff(keys).max() <= 6


def test_short_gaps_pass_and_long_ones_are_named(tmp_path):
    write_frames(tmp_path, [np.zeros((40, 60), np.uint8)] * 20)
    frames = folder_of_frames(tmp_path)
    registered = np.ones(20, bool)
    registered[4:9] = False
    require_short_gaps(registered, frames)
    registered[12:18] = False
    with pytest.raises(VideoError, match=r"00013 to 00018 could not be registered.*9 of 20"):
        require_short_gaps(registered, frames)


def test_no_pair_at_all_is_no_texture():
    with pytest.raises(VideoError, match="without texture"):
        require_parallax([], 640)


def test_a_turning_camera_leaves_no_parallax_and_a_walking_one_does(place, walk):
    rng = np.random.default_rng(1)
    points = rng.uniform([-1, -1, 2], [1, 1, 6], (200, 3))
    first, _ = projected(points, np.eye(4), place.intrinsic)
    turned = np.linalg.inv(walk[9])
    turned[:3, 3] = 0
    second, _ = projected(points, turned, place.intrinsic)
    assert np.percentile(homography_residuals(first, second, 1.0), 90) < 0.01
    third, _ = projected(points, np.linalg.inv(walk[9]), place.intrinsic)
    assert np.percentile(homography_residuals(first, third, 1.0), 90) > 3


def test_a_pose_is_found_despite_wrong_matches(place, walk):
    rng = np.random.default_rng(2)
    points = rng.uniform([-1, -1, 2], [1, 1, 6], (100, 3))
    true = np.linalg.inv(walk[5])
    pixels, _ = projected(points, true, place.intrinsic)
    pixels[:25] += rng.uniform(20, 60, (25, 2))
    found = resected(pixels, points, place.intrinsic, 2.0)
    np.testing.assert_allclose(found, true, atol=1e-3)
    assert resected(pixels[:10], points[:10], place.intrinsic, 2.0) is None


def test_half_way_between_two_poses_lies_the_middle(walk):
    first, second = np.linalg.inv(walk[0]), np.linalg.inv(walk[8])
    middle = np.linalg.inv(interpolated_pose(first, second, 0.5))
    np.testing.assert_allclose(middle[:3, 3], (walk[0] + walk[8])[:3, 3] / 2, atol=1e-9)
    np.testing.assert_allclose(middle[:3, :3] @ middle[:3, :3].T, np.eye(3), atol=1e-9)


def test_masks_grow_by_their_margin():
    mask = np.zeros((30, 30), bool)
    mask[15, 15] = True
    assert grown(mask, 4)[15, 11] and not grown(mask, 4)[15, 10]
    assert not grown(np.zeros((30, 30), bool), 4).any()
