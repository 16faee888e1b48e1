"""The alignment finds cameras, depth and lens of a place that is known."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from stages.geometry import se3
from stages.stage1_align3r.alignment.frame_depths import frame_depths
from stages.stage1_align3r.alignment.medians import weighted_median
from stages.stage1_align3r.alignment.motion_averaging import averaged, averaged_rotations
from stages.stage1_align3r.alignment.observations import Flows, Observations
from stages.stage1_align3r.alignment.single_pictures import camera, focal_px
from stages.stage1_align3r.alignment.start import frame_confidence, spanning_tree, start
from stages.stage1_align3r.alignment.unknowns import inverse, moved, placed
from stages.stage1_align3r.motion import moving_pixels
from stages.stage1_align3r.network import PairMaps
from stages.stage1_align3r.pair_graph import pair_graph
from stages.stage1_align3r.reconstruction import aligned
from tests.stage1_align3r.known_pairs import FOCAL_PX, HIGH, WIDE, Known, known


def observations(made: Known, moving: torch.Tensor | None = None) -> Observations:
    frames = len(made.depth)
    nothing = torch.zeros(frames, HIGH, WIDE, dtype=torch.bool)
    flows = (Flows(*made.pairs.unbind(1), made.flow, 2.0),)
    return Observations(made.pairs, made.maps, flows, nothing if moving is None else moving)


def relative(T: torch.Tensor) -> torch.Tensor:
    """From the first camera."""
    back = inverse(T[:1])
    rest = back[..., :3] @ T[..., 3:] + back[..., 3:]
    return torch.cat([back[..., :3] @ T[..., :3], rest], dim=-1)


def assert_found(T: torch.Tensor, depth: torch.Tensor, made: Known, within: float) -> None:
    unit = (depth / made.depth).median()
    ours, true = relative(T), relative(made.T_world_camera)
    assert torch.allclose(ours[..., :3], true[..., :3], atol=within)
    assert torch.allclose(ours[..., 3] / unit, true[..., 3], atol=within)
    assert torch.allclose(depth / unit, made.depth, atol=4 * within)


def assert_turned(T: torch.Tensor, made: Known, degrees: float) -> None:
    off = relative(T)[..., :3] @ relative(made.T_world_camera)[..., :3].mT
    cosine = (off.diagonal(dim1=1, dim2=2).sum(dim=1) - 1) / 2
    assert float(torch.rad2deg(cosine.clamp(-1, 1).acos()).max()) < degrees


def test_a_median_halves_the_weight() -> None:
    values = torch.tensor([[5.0, 1, 3, 2], [7, 7, 7, 0]])
    assert weighted_median(values, torch.tensor([1.0, 1, 1, 2])).tolist() == [2, 7]
    assert weighted_median(values, torch.tensor([9.0, 1, 1, 1])).tolist() == [5, 7]


def test_depth_and_units_of_frames_among_outliers() -> None:
    made = known(12, noise=0.02)
    first, depth = made.pairs[:, 0], made.maps.points_first[..., 2].clone()
    unit = (depth / made.depth[first]).flatten(1).median(dim=1).values
    wild = torch.rand(depth.shape, generator=torch.Generator().manual_seed(1)) < 0.1
    depth[wild] *= 4
    depth[:, 0, 0] *= -1
    found, log_unit = frame_depths(first, depth, made.maps.confidence_first, 12)
    off = (found - made.depth.log()).flatten(1)
    off = off - off.median(dim=1, keepdim=True).values
    assert float(off.abs().median()) < 0.02 and float(off[:, 1:].abs().quantile(0.97)) < 0.1
    for frame in range(12):
        ours, true = log_unit[first == frame], unit[first == frame].log()
        assert torch.allclose(ours - ours[0], true - true[0], atol=0.01)


def test_what_pairs_agree_on_is_averaged_and_wrong_pairs_do_not_count() -> None:
    pairs, random = pair_graph(9), torch.Generator().manual_seed(0)
    i, j = pairs.unbind(1)
    weight = 1 + torch.rand(len(pairs), generator=random)
    true = torch.randn(9, 3, generator=random).double()
    true = true - true[:1]
    wrong = torch.arange(0, len(pairs), 8)
    between = true[j] - true[i]
    between[wrong] += 2
    assert torch.allclose(averaged(pairs, between, weight), true, atol=0.01)
    R = se3.rotation_matrix(se3.exp(torch.cat([torch.zeros(9, 3), true.float()], dim=1)))
    R = R[:1].mT @ R
    seen = R[i].mT @ R[j]
    seen[wrong] = torch.eye(3)
    off = se3.exp(0.3 * torch.randn(9, 6, generator=random))
    off[0] = torch.tensor([0.0, 0, 0, 1, 0, 0, 0])
    begin = se3.rotation_matrix(off) @ R
    assert torch.allclose(averaged_rotations(pairs, seen, weight, begin), R, atol=0.01)


def test_focal_length_of_a_point_map_among_outliers() -> None:
    made = known()
    points = made.maps.points_first[:3].clone()
    points[:, ::7, ::5, 0] += 1
    assert focal_px(points).tolist() == pytest.approx(3 * [FOCAL_PX], rel=0.01)


def test_points_that_fit_no_lens_have_a_focal_length_all_the_same() -> None:
    points = torch.randn(2, HIGH, WIDE, 3, generator=torch.Generator().manual_seed(0))
    points[1] = torch.stack(
        [-points[1, ..., 0].abs().cumsum(1), points[1, ..., 1], points[1, ..., 2].abs()], -1
    )
    found = focal_px(points)
    assert ((found >= 0.1 * WIDE) & (found <= 10 * WIDE)).all()


def test_camera_of_points_among_outliers() -> None:
    made = known()
    points, usable = made.points[4].clone(), torch.ones(HIGH, WIDE, dtype=torch.bool)
    points[::3, ::4] += 1
    usable[:, :4] = False
    points[:, :4] = 9
    found = camera(points, usable, FOCAL_PX, 100)
    assert found is not None and torch.allclose(found, made.T_world_camera[4], atol=1e-3)
    assert camera(points, torch.zeros(HIGH, WIDE, dtype=torch.bool), FOCAL_PX, 100) is None


def test_tree_takes_the_surest_pairs_and_grows() -> None:
    edges = [(0, 1), (1, 2), (0, 2), (3, 2), (2, 0)]
    assert spanning_tree(edges, [1, 5, 2, 9, 3], 4) == [(3, True), (1, False), (4, True)]
    with pytest.raises(ValueError, match="connect only 3 of 5 frames"):
        spanning_tree([(0, 1), (1, 2), (3, 4)], [3, 2, 1], 5)


def test_the_start_is_the_truth_where_pairs_are_true() -> None:
    made = known()
    found = placed(start(observations(made)))
    depth = start(observations(made)).log_depth.exp()
    assert_found(found.T_world_camera, depth, made, within=1e-3)
    assert float(found.focal_px) == pytest.approx(FOCAL_PX, rel=1e-3)
    scales = torch.linalg.det(found.S_world_pair[..., :3]) ** (1 / 3)
    assert float(scales.log().mean().exp()) == pytest.approx(0.5, rel=1e-3)


@pytest.mark.parametrize(
    ("noise", "outliers"), [(0.1, 0.0), (0.03, 0.1)], ids=["depth 10 % off", "outliers"]
)
def test_the_start_survives_what_networks_get_wrong(noise: float, outliers: float) -> None:
    made = known(20, noise=noise, outliers=outliers)
    found = placed(start(observations(made)))
    true = relative(made.T_world_camera)[:, :, 3]
    depth = start(observations(made)).log_depth.exp()
    ours = relative(found.T_world_camera)[:, :, 3] / (depth / made.depth).median()
    assert float((ours - true).norm(dim=1).max()) < 0.02 * float(true[-1].norm())
    assert_turned(found.T_world_camera, made, degrees=0.5)


def test_a_pair_without_a_camera_does_not_count() -> None:
    made = known()
    points = made.maps.points_second.clone()
    points[3] = 0
    maps = PairMaps(*made.maps[:2], points, made.maps.confidence_second)
    begin = start(replace(observations(made), maps=maps))
    T = placed(begin).T_world_camera
    assert_found(T, begin.log_depth.exp(), made, within=1e-3)


def test_a_frame_s_confidence_is_the_largest_of_its_pairs() -> None:
    made = observations(known())
    found = frame_confidence(made)
    expected = torch.zeros_like(found)
    for k, (i, j) in enumerate(made.pairs.tolist()):
        expected[i] = torch.maximum(expected[i], made.maps.confidence_first[k])
        expected[j] = torch.maximum(expected[j], made.maps.confidence_second[k])
    assert torch.equal(found, expected)


def test_noise_of_pairs_is_averaged() -> None:
    made = known(noise=0.05)
    found = aligned(made.pairs, made.maps, made.flow, None, len(made.depth), steps=150)
    assert found.losses[-1] < found.losses[0]
    unit = (found.depth / made.depth).median()
    off = (found.depth / unit / made.depth - 1).abs().median()
    # The median of one pair's noise is two thirds of its standard deviation.
    assert float(off) < 0.67 * 0.05 / 1.5
    assert_turned(found.T_world_camera, made, degrees=1)
    assert found.focal_px == pytest.approx(FOCAL_PX, rel=0.01)


def test_the_path_keeps_its_length_and_the_camera_its_turn() -> None:
    made = known(12, noise=0.1)
    found = aligned(made.pairs, made.maps, made.flow, None, 12, steps=150)
    true = relative(made.T_world_camera)[:, :, 3]
    ours = found.T_world_camera[:, :, 3] / (found.depth / made.depth).median()
    assert float(ours[-1].norm()) == pytest.approx(float(true[-1].norm()), rel=0.01)
    assert_turned(found.T_world_camera, made, degrees=0.3)


def test_first_camera_is_the_world_and_points_are_where_depth_says() -> None:
    made = known(3)
    found = aligned(made.pairs, made.maps, None, None, 3, steps=3)
    assert torch.allclose(found.T_world_camera[0], torch.eye(3, 4), atol=1e-5)
    inside = moved(inverse(found.T_world_camera), found.points)
    assert torch.allclose(inside[..., 2], found.depth, rtol=1e-4)
    assert found.sure.all() and not found.moving.any() and len(found.losses) == 3


def test_what_flow_carries_elsewhere_moves() -> None:
    made = known()
    flow = made.flow.clone()
    flow[:, 0, 8:14, 10:16] += 4
    found = moving_pixels(made.pairs, made.maps, flow, len(made.depth))
    expected = np.zeros((HIGH, WIDE), bool)
    expected[8:14, 10:16] = True
    assert (found.numpy() == expected).all()


def test_two_frames_can_be_aligned() -> None:
    made = known(2)
    found = aligned(made.pairs, made.maps, made.flow, None, 2, steps=20)
    assert_found(found.T_world_camera, found.depth, made, within=0.02)
