"""The front end on a video whose flow is known: the path, the keyframes, the graph's books."""

from dataclasses import replace

import pytest
import torch

from stages.stage1_megasam.graph.proximity import Proximity
from stages.stage1_megasam.network import DroidConfig, DroidNet
from stages.stage1_megasam.projection import Scene
from stages.stage1_megasam.tracking.frame_graph import FrameGraph
from stages.stage1_megasam.tracking.front_end import FrontEnd, FrontEndRules
from stages.stage1_megasam.tracking.keyframes import Keyframes
from stages.stage1_megasam.tracking.matching import Matcher
from stages.stage1_megasam.tracking.network_matcher import NetworkMatcher
from tests.stage1_megasam.known_flow import HIGH, WIDE, KnownFlow, path_error, travel

RULES = FrontEndRules(least_motion=1.0, least_distance=0.5)


def track(
    truth: Scene, prior: torch.Tensor | None = None, rules: FrontEndRules = RULES
) -> FrontEnd:
    prior = truth.disparity if prior is None else prior
    front_end = FrontEnd(KnownFlow(truth), Keyframes(truth.intrinsics, HIGH, WIDE), rules)
    feed(front_end, prior)
    return front_end


def feed(front_end: FrontEnd, prior: torch.Tensor) -> None:
    for number in range(len(prior)):
        front_end.add(number, prior[number], last=number == len(prior) - 1)


def noisy(disparity: torch.Tensor, share: float) -> torch.Tensor:
    noise = torch.randn(disparity.shape, generator=torch.Generator().manual_seed(3))
    return (disparity * (1 + share * noise)).clamp(min=0.1)


def still(frames: int) -> Scene:
    """A camera that does not move."""
    one = travel(1)
    poses = one.T_camera_world.expand(frames, 7)
    return Scene(poses, one.disparity.expand(frames, HIGH, WIDE), one.intrinsics)


def test_the_camera_is_followed_past_what_moves() -> None:
    truth = travel(20)
    found = track(truth).keyframes
    assert len(found) < 20 and found.numbers[-1] == 19
    assert path_error(found.scene, truth, found.numbers) < 1e-5
    assert (found.scene.disparity - truth.disparity[found.numbers]).abs().max() < 1e-4


def test_wrong_depth_of_single_pictures_does_little_harm() -> None:
    truth = travel(14)
    found = track(truth, noisy(truth.disparity, 0.1)).keyframes
    assert path_error(found.scene, truth, found.numbers) < 0.01


def test_depth_that_no_picture_tells_is_found() -> None:
    truth = travel(12)
    prior = truth.disparity.clone()
    prior[:, :, WIDE // 2 :] = 0
    found = track(truth, prior).keyframes
    assert path_error(found.scene, truth, found.numbers) < 0.01
    away = found.scene.disparity[:-1] - truth.disparity[found.numbers[:-1]]
    assert away.abs().median() < 0.01


def test_keyframes_that_are_too_near_are_given_up() -> None:
    truth = travel(16)
    far_apart = replace(RULES, least_motion=0.0, least_distance=2.5)
    found = track(truth, rules=far_apart).keyframes
    assert 8 <= len(found) < len(track(truth, rules=replace(RULES, least_motion=0.0)).keyframes)
    assert (found.numbers.diff() > 0).all() and found.numbers[-1] == 15
    assert path_error(found.scene, truth, found.numbers) < 1e-4


def test_edges_make_room_for_new_ones() -> None:
    truth = travel(14)
    few = replace(RULES, proximity=Proximity(most=30))
    tracked = track(truth, rules=few)
    assert len(tracked.graph.active.pairs) <= 30 < len(track(truth).graph.active.pairs)
    assert path_error(tracked.keyframes.scene, truth, tracked.keyframes.numbers) < 1e-4


def test_a_camera_that_stands_has_two_keyframes_in_one_place() -> None:
    truth = still(9)
    found = track(truth).keyframes
    assert found.numbers.tolist() == [0, 8]
    assert (found.scene.T_camera_world - truth.T_camera_world[:2]).abs().max() < 1e-6
    assert (found.scene.disparity - truth.disparity[:2]).abs().max() < 1e-6


def test_one_frame_is_a_keyframe_without_edges() -> None:
    tracked = track(travel(1))
    assert len(tracked.keyframes) == 1 and not len(tracked.graph.active.pairs)


def test_a_graph_without_edges_refuses_to_step() -> None:
    truth = travel(1)
    graph = FrameGraph(Keyframes(truth.intrinsics, HIGH, WIDE), KnownFlow(truth))
    with pytest.raises(ValueError, match="without edges"):
        graph.step()


def test_frames_and_edges_move_up_when_a_keyframe_goes() -> None:
    truth = travel(5)
    keyframes = Keyframes(truth.intrinsics, HIGH, WIDE)
    for number in range(5):
        keyframes.append(10 + number, truth.disparity[number])
    graph = FrameGraph(keyframes, KnownFlow(travel(15)))
    graph.add(torch.tensor([[0, 1], [4, 3], [1, 2], [4, 0]]).numpy())
    graph.retire(torch.tensor([True, True, False, False]))
    graph.remove_keyframe(1)
    assert keyframes.numbers.tolist() == [10, 12, 13, 14]
    assert torch.equal(keyframes.prior, truth.disparity[[0, 2, 3, 4]])
    assert graph.active.pairs.tolist() == [[3, 0]]
    assert graph.inactive.pairs.tolist() == [[3, 2]]
    assert graph.memory is not None and graph.memory.rows[0].tolist() == [[14, 10]]


def test_the_network_takes_the_place_of_known_flow() -> None:
    torch.manual_seed(0)
    network = DroidNet(DroidConfig(encoder=(4, 6, 8), features=8, hidden=8)).eval()
    matcher = NetworkMatcher(network)
    pictures = 255 * torch.rand(11, 3, 8 * HIGH, 8 * WIDE)
    for number, picture in enumerate(pictures):
        matcher.show(number, picture)
    truth = travel(11)
    flow: Matcher = matcher
    rules = replace(RULES, least_motion=0.0, least_distance=0.0)
    front_end = FrontEnd(flow, Keyframes(truth.intrinsics, HIGH, WIDE), rules)
    feed(front_end, truth.disparity)
    assert len(front_end.keyframes) == 11
    assert front_end.keyframes.scene.T_camera_world.isfinite().all()
    assert front_end.graph.memory is not None
    assert len(front_end.graph.memory.rows[0]) == len(front_end.graph.active.pairs)
