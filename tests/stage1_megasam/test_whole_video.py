"""From known flow to the camera of every frame, and what the probe lets take part."""

from dataclasses import replace

import pytest
import torch

from stages.geometry import se3
from stages.stage1_megasam.observability import Curvature
from stages.stage1_megasam.projection import Scene
from stages.stage1_megasam.tracking.back_end import (
    BackEndRules,
    Terms,
    near_graph,
    solve_together,
)
from stages.stage1_megasam.tracking.filler import fill, interpolated
from stages.stage1_megasam.tracking.front_end import FrontEndRules
from stages.stage1_megasam.tracking.keyframes import Keyframes
from stages.stage1_megasam.tracking.whole_video import Track, terms_for, track
from tests.stage1_megasam.known_flow import HIGH, WIDE, KnownFlow, path_error, travel
from tests.stage1_megasam.test_front_end import noisy, still

RULES = FrontEndRules(least_motion=1.0, least_distance=0.5)


def tracked(truth: Scene, prior: torch.Tensor | None = None, focal_factor: float = 1.0) -> Track:
    flow = KnownFlow(truth)
    factors = torch.tensor([focal_factor, focal_factor, 1, 1]).double()
    prior = truth.disparity if prior is None else prior
    return track(flow, flow, prior, truth.intrinsics * factors, RULES)


def keyframes(truth: Scene, numbers: list[int]) -> Keyframes:
    """At their true places."""
    frames = Keyframes(truth.intrinsics, HIGH, WIDE)
    for number in numbers:
        frames.append(number, truth.disparity[number])
    frames.place(0, truth.T_camera_world[numbers])
    return frames


def every(truth: Scene) -> torch.Tensor:
    return torch.arange(len(truth.disparity))


def turning(frames: int) -> Scene:
    """A camera that looks about from one place."""
    path = travel(frames)
    poses = path.T_camera_world.clone()
    poses[:, :3] = 0
    return replace(path, T_camera_world=poses)


def test_the_camera_of_every_frame_is_found() -> None:
    truth = travel(20)
    found = tracked(truth)
    assert not found.stays
    assert found.keyframes < 20 == len(found.scene.T_camera_world)
    assert path_error(found.scene, truth, every(truth)) < 1e-4
    assert (found.scene.disparity - truth.disparity).abs().max() < 1e-3


def test_the_focal_is_found_where_flow_tells_it() -> None:
    truth = travel(24)
    found = tracked(truth, focal_factor=1.15)
    assert found.terms == Terms(prior_weight=0.0, focal=True)
    assert found.scene.intrinsics[:2] == pytest.approx(truth.intrinsics[:2], rel=1e-3)
    assert torch.equal(found.scene.intrinsics[2:], truth.intrinsics[2:])


def test_what_moves_is_told_from_what_does_not() -> None:
    static = tracked(travel(12)).static
    assert static.shape == (12, HIGH, WIDE)
    assert (static[:, HIGH // 2 :, : WIDE // 3] == 0).all()
    assert (static[:, : HIGH // 2] == 1).all()


def test_a_camera_that_stands_keeps_focal_and_depth_of_single_pictures() -> None:
    truth = still(9)
    prior = noisy(truth.disparity, 0.2)
    found = tracked(truth, prior, focal_factor=1.1)
    assert found.stays and not found.terms.focal and found.terms.prior_weight > 0
    assert found.scene.intrinsics[0] == pytest.approx(1.1 * 12)
    assert (found.scene.T_camera_world - truth.T_camera_world).abs().max() < 1e-6
    assert (found.scene.disparity - prior).abs().max() < 1e-5


def test_a_camera_that_only_turns_stays_in_its_place() -> None:
    truth = turning(24)
    found = tracked(truth, noisy(truth.disparity, 0.2))
    assert found.stays and found.terms.prior_weight > 0
    assert found.scene.T_camera_world[:, :3].abs().max() < 1e-3
    back = se3.multiply(found.scene.T_camera_world, se3.inverse(truth.T_camera_world))
    assert se3.log(back)[:, 3:].norm(dim=-1).max() < 1e-3


def test_one_frame_is_refused() -> None:
    with pytest.raises(ValueError, match="one frame has no motion"):
        tracked(travel(1))


def test_two_frames_have_two_cameras() -> None:
    truth = travel(2)
    assert path_error(tracked(truth).scene, truth, every(truth)) < 1e-3


def test_frames_between_keyframes_are_on_the_screw_motion_between_them() -> None:
    truth = travel(9)
    frames = keyframes(truth, [0, 4, 8])
    before, poses = interpolated(frames, torch.tensor([1, 6]))
    assert before.tolist() == [0, 1]
    key = frames.scene.T_camera_world
    halfway = se3.log(se3.multiply(poses[1:], se3.inverse(key[1:2])))
    whole = se3.log(se3.multiply(key[2:], se3.inverse(key[1:2])))
    assert torch.allclose(2 * halfway, whole, atol=1e-9)


def test_frames_between_keyframes_are_adjusted_to_the_flow() -> None:
    truth = travel(40)
    numbers = [0, 3, 9, 39]
    filled = fill(KnownFlow(truth), keyframes(truth, numbers), truth.disparity)
    assert torch.equal(filled.numbers, every(truth))
    # Steps on cameras are damped for bundle adjustment, so that some of a long way is left.
    assert path_error(filled.scene, truth, every(truth)) < 0.02
    assert torch.equal(filled.scene.T_camera_world[numbers], truth.T_camera_world[numbers])


def test_frames_that_meet_again_are_joined() -> None:
    there = travel(12)
    order = [*range(12), *range(10, -1, -1)]
    truth = replace(
        there, T_camera_world=there.T_camera_world[order], disparity=there.disparity[order]
    )
    graph = near_graph(KnownFlow(truth), keyframes(truth, list(range(23))), BackEndRules())
    pairs = {tuple(pair) for pair in graph.active.pairs.tolist()}
    assert (22, 0) in pairs and (0, 22) in pairs
    assert all((j, i) in pairs for i, j in pairs)
    assert len(pairs) <= 16 * 23 + 2


def test_cameras_that_are_wrong_are_put_right_together() -> None:
    truth = travel(16)
    frames = keyframes(truth, list(range(16)))
    tangents = 0.02 * torch.randn(16, 6, generator=torch.Generator().manual_seed(1)).double()
    tangents[0] = 0
    frames.place(0, se3.retract(truth.T_camera_world, tangents))
    assert path_error(frames.scene, truth, every(truth)) > 0.03
    graph = near_graph(KnownFlow(truth), frames, BackEndRules())
    solve_together(graph, 12, Terms(prior_weight=0.05))
    assert path_error(frames.scene, truth, every(truth)) < 3e-4
    assert torch.equal(frames.scene.T_camera_world[0], truth.T_camera_world[0])


@pytest.mark.parametrize(
    ("disparity", "focal", "weight", "free"),
    [(30.0, 60.0, 0.0, True), (30.0, 49.0, 0.0, False), (0.0, 60.0, 1e-5, True),
     (10.0, 0.0, 1e-5 * 0.36787944, False), (25.0, 50.0, 0.0, True)],
)  # fmt: skip
def test_little_curvature_keeps_focal_and_prior(
    disparity: float, focal: float, weight: float, free: bool
) -> None:
    terms = terms_for(Curvature(disparity, focal))
    assert not terms_for(Curvature(disparity, focal), focal_known=True).focal
    assert (terms.prior_weight, terms.focal) == (pytest.approx(weight), free)
