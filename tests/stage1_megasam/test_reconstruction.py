"""The whole way with networks that know nothing: types, shapes, conventions and repeatability."""

from dataclasses import fields

import pytest
import torch

from stages.flow.raft import Raft
from stages.stage1_megasam.lens import in_cells, in_pixels
from stages.stage1_megasam.network import DroidConfig, DroidNet
from stages.stage1_megasam.reconstruction import Networks, Reconstruction, reconstruct
from stages.stage1_megasam.tracking.windows import Window

FRAMES, HIGH, WIDE = 3, 64, 72
LENS = torch.tensor([60.0, 60.0, (WIDE - 1) / 2, (HIGH - 1) / 2])


def random_networks() -> Networks:
    torch.manual_seed(0)
    tracker = DroidNet(DroidConfig(encoder=(4, 6, 8), features=8, hidden=8)).eval()
    return Networks(tracker.requires_grad_(False), Raft().eval().requires_grad_(False))


@pytest.fixture(scope="module")
def made() -> tuple[Reconstruction, Reconstruction]:
    """The same twice."""
    networks = random_networks()
    pictures = torch.randint(0, 256, (FRAMES, 3, HIGH, WIDE), dtype=torch.uint8)
    disparity = 0.5 + torch.rand(FRAMES, HIGH, WIDE)
    disparity[:, :8, :8] = 0
    windows = (Window(0, FRAMES),)
    first, second = (reconstruct(networks, pictures, disparity, LENS, windows) for _ in range(2))
    return first, second


def test_every_frame_has_a_camera_depth_and_what_is_static(
    made: tuple[Reconstruction, Reconstruction],
) -> None:
    found, _ = made
    assert found.T_camera_world.shape == (FRAMES, 7)
    assert found.disparity.shape == (FRAMES, HIGH, WIDE)
    assert found.static.shape == (FRAMES, HIGH // 8, WIDE // 8)
    assert found.T_camera_world.isfinite().all() and found.disparity.isfinite().all()
    assert (found.disparity > 0).all()
    assert ((found.static >= 0) & (found.static <= 1)).all()
    assert found.intrinsics_px[2:].tolist() == pytest.approx(LENS[2:].tolist())


def test_the_same_pictures_give_the_same(made: tuple[Reconstruction, Reconstruction]) -> None:
    first, second = made
    for field in fields(first):
        if field.name != "tracks":
            assert torch.equal(getattr(first, field.name), getattr(second, field.name))


def test_the_middle_of_pixels_is_the_middle_of_cells() -> None:
    assert in_cells(LENS).tolist() == [7.5, 7.5, (WIDE / 8 - 1) / 2, (HIGH / 8 - 1) / 2]
    assert torch.equal(in_pixels(in_cells(LENS)), LENS)
