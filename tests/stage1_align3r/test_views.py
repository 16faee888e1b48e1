"""From frames of a folder to a world file, with networks that know nothing."""

from pathlib import Path

import numpy as np
import pytest
import torch

from stages.artifacts.images import write_image
from stages.artifacts.world import opened_world, point_map, write_world
from stages.cameras.frames import Frames, choose_frames
from stages.stage1_align3r.inference import point_maps
from stages.stage1_align3r.pair_graph import pair_graph
from stages.stage1_align3r.picture_size import cropping
from stages.stage1_align3r.reconstruction import aligned
from stages.stage1_align3r.views import masked, priors, shown, world_frames
from tests.stage1_align3r.small import small_network

HIGH, WIDE, FRAMES = 90, 640, 3
CROP = cropping(HIGH, WIDE)


def depth_of(rgb: np.ndarray) -> np.ndarray:
    return 1 + rgb[..., 0] / 255.0


@pytest.fixture(scope="module")
def frames(tmp_path_factory: pytest.TempPathFactory) -> Frames:
    folder = tmp_path_factory.mktemp("cam01")
    random = np.random.default_rng(0)
    for number in range(1, FRAMES + 1):
        coarse = random.integers(0, 256, (HIGH // 10, WIDE // 10, 3), np.uint8)
        write_image(folder / f"{number:05d}.jpg", coarse.repeat(10, 0).repeat(10, 1))
    return choose_frames(folder, None, 0, -1, 1)


@pytest.fixture(scope="module")
def pictures(frames: Frames) -> torch.Tensor:
    return shown(frames, CROP)


@pytest.fixture(scope="module")
def depths(frames: Frames) -> torch.Tensor:
    return priors(frames, depth_of, CROP)


def test_pictures_and_priors_are_cut_alike(
    frames: Frames, pictures: torch.Tensor, depths: torch.Tensor
) -> None:
    assert pictures.shape == depths.shape == (FRAMES, 3, 64, 512)
    assert masked(frames, CROP) is None
    # The prior's depth is made of the red of the picture.
    red, depth = pictures[1, 0].float().flatten(), depths[1, 2].flatten()
    assert np.corrcoef(red, depth)[0, 1] > 0.98


def test_a_world_file_holds_what_was_found(
    frames: Frames, pictures: torch.Tensor, depths: torch.Tensor, tmp_path: Path
) -> None:
    pairs = pair_graph(FRAMES)
    maps = point_maps(small_network(), pictures, depths, pairs)
    made = aligned(pairs, maps, None, None, FRAMES, steps=2)
    world = world_frames(made, pictures, frames, CROP)
    write_world(tmp_path / "world.h5", world, method="align3r")
    with opened_world(tmp_path / "world.h5") as (world, metadata):
        assert metadata["method"] == "align3r"
        assert world.names == ["00001", "00002", "00003"]
        assert np.allclose(world.Ts_world_camera[0], np.eye(4), atol=1e-6)
        for place, frame in enumerate(world):
            assert np.array_equal(frame.rgb, pictures[place].movedim(0, -1))
            assert np.allclose(frame.depth, made.depth[place], rtol=1e-3)
            assert np.allclose(frame.points, made.points[place], rtol=1e-2, atol=1e-2)
            assert np.array_equal(frame.measured, made.sure[place])
            assert np.array_equal(frame.dynamic, made.moving[place])
            again = point_map(made.depth[place].numpy(), frame.intrinsic, frame.T_world_camera)
            assert np.allclose(again, made.points[place], rtol=1e-4, atol=1e-4)
