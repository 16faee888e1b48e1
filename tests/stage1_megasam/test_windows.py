"""Windows of frames cover a video, share frames, and are joined where they agree."""

from dataclasses import replace
from itertools import pairwise

import pytest
import torch

from stages.geometry import se3
from stages.stage1_megasam.projection import Scene
from stages.stage1_megasam.tracking.windows import (
    SHARED_FRAMES,
    Similarity,
    Window,
    described,
    joined,
    plan,
)
from tests.stage1_megasam.known_flow import HIGH, WIDE, travel


@pytest.mark.parametrize("frames", [2, 60, 61, 104, 105, 300, 999])
def test_windows_cover_a_video_and_share_frames(frames: int) -> None:
    windows = plan(frames, 60)
    assert windows[0].first == 0 and windows[-1].end == frames
    assert max(len(window) for window in windows) <= 60
    for one, next_one in pairwise(windows):
        assert one.end - next_one.first == SHARED_FRAMES
    lengths = [len(window) for window in windows]
    assert max(lengths) - min(lengths) <= 1


def test_a_plan_has_no_more_windows_than_it_needs() -> None:
    assert len(plan(60, 60)) == 1
    assert len(plan(104, 60)) == 2
    assert len(plan(105, 60)) == 3


def test_windows_that_are_too_small_are_refused() -> None:
    with pytest.raises(ValueError, match="cannot share"):
        plan(100, SHARED_FRAMES)


def test_a_plan_is_said_in_words() -> None:
    assert described(plan(50, 60)) == "one window of 50 frames"
    assert described(plan(104, 60)) == "2 windows of up to 60 frames, 16 shared"


def piece(truth: Scene, window: Window, move: Similarity) -> Scene:
    """What a window alone makes of it: another world, another scale."""
    part = slice(window.first, window.end)
    alone = replace(
        truth, T_camera_world=truth.T_camera_world[part], disparity=truth.disparity[part]
    )
    return move.moved(alone)


def pieces(truth: Scene, windows: tuple[Window, ...]) -> list[Scene]:
    tangents = torch.tensor([[0, 0, 0, 0, 0, 0], [1, 2, 3, 0.3, 2, -1], [-1, 0, 2, 1, 0.2, 0.7]])
    scales = (1.0, 0.4, 1.7)
    return [
        piece(truth, window, Similarity(scale, se3.exp(tangent.double())))
        for window, scale, tangent in zip(windows, scales, tangents, strict=True)
    ]


def test_windows_are_joined_to_one_world() -> None:
    truth = travel(50)
    windows = plan(50, 28)
    static = [torch.ones(len(window), HIGH, WIDE) for window in windows]
    whole, sure = joined(windows, pieces(truth, windows), static)
    assert sure.shape == (50, HIGH, WIDE)
    turned = (whole.T_camera_world * truth.T_camera_world)[:, 3:].sum(dim=1).abs()
    assert turned.min() > 1 - 1e-9
    away = whole.T_camera_world[:, :3] - truth.T_camera_world[:, :3]
    assert away.abs().max() < 1e-6
    assert (whole.disparity - truth.disparity).abs().max() < 1e-6


def test_windows_of_a_camera_that_stands_get_their_scale_from_depth() -> None:
    one = travel(1)
    truth = Scene(
        one.T_camera_world.expand(50, 7), one.disparity.expand(50, HIGH, WIDE), one.intrinsics
    )
    windows = plan(50, 28)
    static = [torch.ones(len(window), HIGH, WIDE) for window in windows]
    whole, _ = joined(windows, pieces(truth, windows), static)
    assert (whole.disparity - truth.disparity).abs().max() < 1e-6
    assert whole.T_camera_world[:, :3].abs().max() < 1e-6


def test_what_moves_has_no_say_in_the_scale() -> None:
    truth = travel(50)
    windows = plan(50, 28)
    found = pieces(truth, windows)
    static = [torch.ones(len(window), HIGH, WIDE) for window in windows]
    for scene, certain in zip(found[1:], static[1:], strict=True):
        certain[:, :, : 2 * WIDE // 3] = 0.1
        scene.disparity[:, :, : 2 * WIDE // 3] *= 3
    whole, _ = joined(windows, found, static)
    away = whole.T_camera_world[:, :3] - truth.T_camera_world[:, :3]
    assert away.abs().max() < 1e-6


def test_each_window_gives_the_half_of_shared_frames_that_is_nearer_to_it() -> None:
    truth = travel(40)
    windows = plan(40, 28)
    still = Similarity(1.0, se3.exp(torch.zeros(6).double()))
    found = [piece(truth, window, still) for window in windows]
    static = [torch.full_like(each.disparity, 0.6) for each in found]
    static[1][:] = 0.7
    _, sure = joined(windows, found, static)
    middle = windows[1].first + SHARED_FRAMES // 2
    assert len(windows) == 2 and len(sure) == 40
    assert (sure[:middle] == 0.6).all() and (sure[middle:] == 0.7).all()
