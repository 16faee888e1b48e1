"""What Align3R's trainer shows and asks for, and that its network learns it."""

from dataclasses import replace

import numpy as np
import torch

from stages.geometry import se3
from stages.stage1_align3r.network import Align3rNet, PairMaps
from stages.stage1_align3r.picture_size import cropping
from stages.stage1_align3r.prior import prior_map
from tests.stage1_align3r.small import SMALL
from tools.checkpoints.align3r import CONFIG, Guided, errors, guide_truth, losses, point_losses
from tools.checkpoints.pair_clips import (
    PairClips,
    Truth,
    guessed,
    mirrored,
    ordered_pairs,
    prior_maps,
    rays,
    truth_of,
)

HIGH, WIDE, FRAMES = 32, 48, 2
FOCAL_PX = 40.0


def clip_of_a_wall(tilt: float = 0.02) -> PairClips:
    """Frames of a wall across the world's z axis, with sky over it, by a camera that moves."""
    random = torch.Generator().manual_seed(2)
    poses = se3.exp(0.05 * torch.randn(1, FRAMES, 6, generator=random))
    focal = torch.tensor([FOCAL_PX])
    own = rays(HIGH, WIDE, focal).expand(FRAMES, -1, -1, -1)
    T_world_camera = se3.inverse(poses[0])[:, None, None]
    ahead = se3.rotate(T_world_camera[..., 3:], own) @ torch.tensor([tilt, 0.0, 1.0])
    start = T_world_camera[..., :3] @ torch.tensor([tilt, 0.0, 1.0])
    depth = (3 - start) / ahead
    depth[:, :4] = 0
    shown = torch.randint(0, 256, (1, FRAMES, 3, HIGH, WIDE), dtype=torch.uint8, generator=random)
    return PairClips(shown, focal, poses, depth[None])


def truth(clips: PairClips) -> Truth:
    return truth_of(clips, ordered_pairs(clips.depth_m))


def found_without_error(true: Truth, scale: float = 1.0) -> PairMaps:
    sure = torch.full(true.known_first.shape, 9.0)
    return PairMaps(scale * true.points_first, sure, scale * true.points_second, sure)


def test_every_frame_is_first_and_second_to_every_other_of_its_clip() -> None:
    pairs = ordered_pairs(torch.zeros(2, 3, 1, 1)).tolist()
    assert len(pairs) == 12 and pairs[:3] == [[0, 1], [0, 2], [1, 0]]
    assert all(i != j and i // 3 == j // 3 for i, j in pairs)


def test_both_pictures_points_lie_in_the_first_one_s_camera() -> None:
    clips = clip_of_a_wall()
    true = truth(clips)
    normal = torch.tensor([0.02, 0.0, 1.0])
    T_world_first = se3.inverse(clips.T_camera_world[0])[:, None, None]
    for points, known in (
        (true.points_first, true.known_first), (true.points_second, true.known_second)
    ):  # fmt: skip
        wall = se3.act(T_world_first, points)[known > 0] @ normal
        torch.testing.assert_close(wall, torch.full_like(wall, 3), atol=1e-4, rtol=0)
    assert not true.known_first[:, :4].any() and true.known_first[:, 4:].all()


def test_a_mirror_changes_left_and_right_and_nothing_else() -> None:
    clips = clip_of_a_wall()
    here, there = truth(clips), truth(mirrored(clips))
    sign = torch.tensor([-1.0, 1.0, 1.0])
    torch.testing.assert_close(there.points_second, sign * here.points_second.flip(2))
    assert not torch.allclose(there.T_first_second, here.T_first_second)


def test_priors_are_as_the_stage_gives_them() -> None:
    depth = 1 + torch.rand(1, 144, 256).cumsum(2) / 20
    wanted = prior_map(depth[0].numpy(), cropping(144, 256, 256))
    np.testing.assert_allclose(prior_maps(depth)[0].movedim(0, -1), wanted, atol=1e-5)


def test_what_single_pictures_tell_is_off_smoothly_and_never_nothing() -> None:
    torch.manual_seed(0)
    depth = torch.full((20, 2, HIGH, WIDE), 3.0)
    log = (guessed(depth) / depth).log()
    assert 0.05 < float(log.std()) < 0.2
    assert float(log.diff(dim=-1).std()) < 0.25 * float(log.std())
    assert not torch.equal(log[:, 0], log[:, 1])
    assert (guessed(torch.zeros_like(depth)) > 5).all(), "the sky is far"


def test_the_loss_does_not_know_the_unit_and_wants_to_be_sure_where_it_is_right() -> None:
    true = truth(clip_of_a_wall())
    exact, small = (found_without_error(true, scale) for scale in (1, 0.2))
    assert float(point_losses(exact, true)["off"]) < 1e-5
    torch.testing.assert_close(point_losses(exact, true), point_losses(small, true))
    less = exact._replace(confidence_first=exact.confidence_first / 3)
    assert point_losses(less, true)["points"] > point_losses(exact, true)["points"]
    sky = exact.confidence_first.clone()
    sky[:, :4] = 1
    modest = point_losses(exact._replace(confidence_first=sky), true)
    assert modest["points"] < point_losses(exact, true)["points"]


def test_a_point_beside_its_pixel_is_off_by_pixels_in_its_own_picture() -> None:
    true = truth(clip_of_a_wall())
    exact = found_without_error(true)
    assert float(point_losses(exact, true)["aim"]) < 1e-2
    other = se3.inverse(true.T_first_second)[:, None, None]
    own = se3.act(other, true.points_second)
    # Two pixels to the right, as the second picture's camera has it.
    own[..., 0] += 2 / FOCAL_PX * own[..., 2]
    beside = se3.act(true.T_first_second[:, None, None], own)
    found = float(point_losses(exact._replace(points_second=beside), true)["aim"])
    assert abs(found - np.log(3) / 2) < 0.05, "of two pictures one is off by two"


def test_the_guide_is_asked_where_the_points_are_in_the_other_picture() -> None:
    still = clip_of_a_wall()
    still.T_camera_world[:] = se3.exp(torch.zeros(6))
    assert guide_truth(truth(still))[0].abs().max() < 1e-4
    still.depth_m[:] = 2.0
    still.T_camera_world[0, 1, 0] = 0.1
    away, counts = guide_truth(truth(still))
    step = torch.tensor([0.1 * FOCAL_PX / 2, 0])
    for side, sign in ((0, 1), (1, -1)):
        torch.testing.assert_close(away[side, 0], (sign * step).expand_as(away[side, 0]))
        torch.testing.assert_close(away[side, 1], (-sign * step).expand_as(away[side, 1]))
    assert counts.all() and counts.shape == (2, 2, HIGH // 4, WIDE // 4)


def test_errors_are_nothing_at_the_truth_and_tell_what_is_off() -> None:
    true = truth(clip_of_a_wall(tilt=0.4))
    maps = found_without_error(true, 0.3)
    depth = true.points_first[..., 2]
    none = errors(maps, true, depth)
    for name in ("depth_percent", "second_points_percent", "prior_depth_percent"):
        assert float(none[name].max()) < 0.01
    # Half a pixel is between the optical axis of the stage's cameras and that of the truth.
    assert float(none["rotation_deg"].max()) < 1
    assert float(none["focal_percent"].max()) < 3
    off = maps._replace(points_second=maps.points_second + 0.3 * torch.tensor([0.3, 0, 0]))
    found = errors(off, true, depth)
    torch.testing.assert_close(
        found["second_points_percent"], torch.full((2,), 10.0), rtol=0.2, atol=0
    )
    assert (found["camera_off_percent"] > none["camera_off_percent"] + 5).all()


def test_the_network_learns_a_clip_that_it_sees_again_and_again() -> None:
    torch.manual_seed(0)
    model, clips = Guided(replace(SMALL, encoder_depth=1, decoder_depth=4)), clip_of_a_wall()
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
    total = []
    for _ in range(20):
        found = losses(model, clips, clips.pictures.float())
        optimizer.zero_grad()
        found["total"].backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        total.append(float(found["total"].detach()))
    assert np.mean(total[-5:]) < 0.7 * total[0]


def test_the_checkpoint_is_small() -> None:
    with torch.device("meta"):
        numbers = sum(each.numel() for each in Align3rNet(CONFIG).parameters())
    assert 2 * numbers < 20e6, "bytes in half precision"
