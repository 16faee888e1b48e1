"""Depth that agrees from frame to frame, on a slanted wall and on flow that is known."""

from dataclasses import replace

import pytest
import torch

from stages.flow.grid import cell_grid
from stages.flow.raft import Flow
from stages.geometry import se3
from stages.stage1_megasam.projection import Scene, see
from stages.stage1_megasam.refinement import FlowPairs, follow, refine
from stages.stage1_megasam.refinement.agreement import Cameras, disagreements
from stages.stage1_megasam.refinement.flow_pairs import STEPS, half
from stages.stage1_megasam.refinement.likeness import Weights, normals, surfaces, unlikeness

HIGH, WIDE = 16, 24
"""Of the maps; pictures are twice as large."""

LENS = torch.tensor([20.0, 20.0, 11.5, 7.5])
"""At the maps' size."""


def full_lens() -> torch.Tensor:
    """At the pictures' size."""
    return torch.cat([2 * LENS[:2], 2 * LENS[2:] + 0.5])


def walk(frames: int) -> torch.Tensor:
    """A camera that goes aside and turns a little."""
    at = torch.arange(frames).double()
    zero = torch.zeros_like(at)
    tangents = torch.stack([0.05 * at, zero, 0.01 * at, zero, 0.01 * at, zero], dim=1)
    return se3.exp(tangents)


def wall(poses: torch.Tensor, lens: torch.Tensor, high: int, wide: int) -> torch.Tensor:
    """Disparity of a slanted plane at depths of about one."""
    rays = Cameras(poses, lens.double()).rays(torch.zeros(high, wide).double())
    normal = torch.tensor([0.3, 0.2, 1.0]).double()
    centres = se3.inverse(poses)[:, :3]
    turned = se3.rotate(se3.inverse(poses)[:, None, None, 3:], rays)
    return (turned @ normal) / (1.0 - centres @ normal)[:, None, None]


def scene(frames: int) -> Scene:
    """The wall at the maps' size."""
    poses = walk(frames)
    return Scene(poses, wall(poses, LENS, HIGH, WIDE), LENS.double())


def known_pairs(truth: Scene) -> FlowPairs:
    """Flow of the truth, trusted where it stays in the picture."""
    count = len(truth.disparity)
    ends = [(i, i + step) for step in STEPS for i in range(count - step)]
    sources, targets = torch.tensor(ends).T
    places = see(truth, sources, targets).places
    inside = ((places >= 0) & (places <= torch.tensor([WIDE - 1, HIGH - 1]))).all(dim=-1)
    return FlowPairs(sources, targets, (places - cell_grid(places[..., 0])).float(), inside)


def test_the_truth_agrees_with_itself() -> None:
    truth = scene(6)
    sure = torch.full_like(truth.disparity, 0.5)
    cameras = Cameras(truth.T_camera_world, truth.intrinsics)
    pairs = known_pairs(truth)
    lost, count = disagreements(truth.disparity, sure, pairs, cameras)
    assert count == pairs.trusted.sum()
    # What is left is the price of doubt: a quarter of log 2, for the ratio and a fifth for flow.
    assert lost / count == pytest.approx(1.2 * 0.25 * 0.6931, abs=3e-3)


def test_depth_that_is_too_large_by_a_share_costs_that_share_and_flow() -> None:
    truth = scene(2)
    sure = torch.ones_like(truth.disparity)
    pairs = known_pairs(truth).picked(slice(0, 1))
    far = truth.disparity.clone()
    far[0] /= 1.1
    cameras = Cameras(truth.T_camera_world, truth.intrinsics)
    lost, count = disagreements(far, sure, pairs, cameras)
    moved = see(Scene(truth.T_camera_world, far, truth.intrinsics), pairs.sources, pairs.targets)
    astray = (moved.places - cell_grid(far) - pairs.flow).abs().mean(dim=-1)
    expected = 0.1 + 0.2 * astray[pairs.trusted].mean()
    assert lost / count == pytest.approx(float(expected), rel=0.02)


def test_pixels_behind_the_other_camera_do_not_count() -> None:
    truth = scene(2)
    behind = truth.T_camera_world.clone()
    behind[1, 2] -= 5
    cameras = Cameras(behind, truth.intrinsics)
    sure = torch.ones_like(truth.disparity)
    _, count = disagreements(truth.disparity, sure, known_pairs(truth), cameras)
    assert count == 0


def test_pixels_that_leave_the_picture_do_not_count() -> None:
    truth = scene(2)
    pairs = known_pairs(truth)
    away = pairs.flow + torch.tensor([float(WIDE), 0.0])
    sure = torch.ones_like(truth.disparity)
    cameras = Cameras(truth.T_camera_world, truth.intrinsics)
    everywhere = replace(pairs, flow=away, trusted=torch.ones_like(pairs.trusted))
    assert disagreements(truth.disparity, sure, everywhere, cameras)[1] == 0


def test_likeness_asks_for_neither_scale_nor_far_edges() -> None:
    truth = scene(2)
    cameras = Cameras(truth.T_camera_world, truth.intrinsics)
    everywhere = surfaces(truth.disparity)
    assert everywhere.all()
    same = (truth.disparity, everywhere, cameras)
    assert unlikeness(truth.disparity, *same, Weights()) < 1e-6
    assert unlikeness(1.3 * truth.disparity, *same, Weights()) < 1e-6
    bumpy = truth.disparity * (1 + 0.1 * torch.rand(2, HIGH, WIDE))
    assert unlikeness(bumpy, *same, Weights(0, 1, 0)) > 1e-3
    assert unlikeness(bumpy / 10, *same, Weights(0, 1, 0)) == 0


def test_normals_are_those_of_the_wall() -> None:
    truth = scene(1)
    found = normals(truth.disparity, Cameras(truth.T_camera_world, truth.intrinsics))
    wanted = torch.tensor([0.3, 0.2, 1.0]).double()
    inner = found[0, :, 4:-4, 4:-4].flatten(1)
    assert torch.allclose(inner.mean(dim=1), wanted / wanted.norm(), atol=0.02)


def test_a_step_between_surfaces_is_an_edge() -> None:
    disparity = torch.ones(1, HIGH, WIDE)
    disparity[..., WIDE // 2 :] = 2
    within = surfaces(disparity)[0]
    assert not within[:, WIDE // 2 - 1 : WIDE // 2 + 1].any()
    assert within[:, : WIDE // 2 - 1].all() and within[:, WIDE // 2 + 1 :].all()


def test_frames_of_other_scales_come_to_agree() -> None:
    frames = 4
    truth = scene(frames)
    poses = truth.T_camera_world
    full = wall(poses, full_lens(), 2 * HIGH, 2 * WIDE).float()
    factors = 0.8 + 0.4 * torch.rand(frames, 1, 1, generator=torch.Generator().manual_seed(0))
    static = torch.ones(frames, HIGH // 4, WIDE // 4)
    pairs = known_pairs(truth)
    found = refine(factors * full, static, poses, full_lens(), pairs)
    wrong = (found / full - 1).abs()
    assert wrong.median() < 0.01 and wrong.mean() < 0.02
    assert (factors - 1).abs().mean() > 0.08


def test_what_moves_does_not_bend_what_stands() -> None:
    frames = 3
    truth = scene(frames)
    pairs = known_pairs(truth)
    astray = pairs.flow.clone()
    astray[:, 12:, :8] += 4
    static = torch.ones(frames, HIGH // 4, WIDE // 4)
    static[:, 3:, :2] = 0
    full = wall(truth.T_camera_world, full_lens(), 2 * HIGH, 2 * WIDE).float()
    found = refine(full, static, truth.T_camera_world, full_lens(), replace(pairs, flow=astray))
    assert (found / full - 1).abs().median() < 0.02


def test_refining_again_gives_the_same_and_tells_how_far_it_is() -> None:
    truth = scene(2)
    full = wall(truth.T_camera_world, full_lens(), 2 * HIGH, 2 * WIDE).float()
    static = torch.ones(2, HIGH // 4, WIDE // 4)
    shares: list[float] = []
    given = (1.1 * full, static, truth.T_camera_world, full_lens(), known_pairs(truth))
    assert torch.equal(refine(*given, shares.append), refine(*given))
    assert shares == sorted(shares) and shares[-1] == 1


class Sliding:
    """Flow of pictures that slide to the right, three pixels a frame; red tells their number."""

    def __init__(self) -> None:
        self.starts: list[torch.Tensor | None] = []

    def __call__(
        self, first: torch.Tensor, second: torch.Tensor, steps: int, start: torch.Tensor | None
    ) -> Flow:
        self.starts.append(start)
        along = 3.0 * (second[:, 0] - first[:, 0])
        pixels = torch.stack([along, torch.zeros_like(along)], dim=1)
        cells = pixels[..., ::8, ::8] / 8
        return Flow(pixels, cells, cells)


def test_frames_are_followed_in_steps_that_begin_with_smaller_ones() -> None:
    pictures = torch.zeros(10, 3, 16, 160)
    pictures[:, 0] = torch.arange(10)[:, None, None]
    sliding = Sliding()
    pairs = follow(sliding, pictures)
    ends = [(i, i + step) for step in (1, 2, 4, 8) for i in range(10 - step)]
    assert list(zip(pairs.sources.tolist(), pairs.targets.tolist(), strict=True)) == ends
    expected = 1.5 * (pairs.targets - pairs.sources)
    assert torch.equal(pairs.flow[..., 0], expected[:, None, None].expand(-1, 8, 80))
    # It leaves the picture on the right, and comes back to itself elsewhere.
    assert pairs.trusted[0, :, :78].all() and not pairs.trusted[0, :, 79:].any()
    assert sliding.starts[0] is None
    last = sliding.starts[-1]
    assert last is not None and torch.equal(last[:2, 0, 0, 0], torch.tensor([1.5, 1.5]))
    assert torch.equal(last[2:, 0, 0, 0], torch.tensor([-1.5, -1.5]))


def test_half_as_large_pictures_have_half_as_long_flow() -> None:
    assert torch.equal(half(torch.full((1, 2, 4, 6), 3.0)), torch.full((1, 2, 3, 2), 1.5))


def test_one_frame_has_no_flow() -> None:
    with pytest.raises(ValueError, match="one frame"):
        follow(Sliding(), torch.zeros(1, 3, 16, 16))
