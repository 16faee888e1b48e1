"""Choosing edges: what distance measures, which pairs come, which stay away."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from stages.geometry import se3
from stages.stage1_megasam.graph.distance import UNSEEN, distances, one_way_distances
from stages.stage1_megasam.graph.edges import NONE, making_room, near, neighbourhood, without
from stages.stage1_megasam.graph.proximity import Proximity, proximity_edges
from stages.stage1_megasam.observability import curvature
from stages.stage1_megasam.projection import Scene

THERE, BACK = torch.tensor([0]), torch.tensor([1])
FOCAL = 10.0


def moved(*tangent: float, disparity: float = 1.0) -> Scene:
    """Two frames of a wall, the second after a motion of the camera."""
    poses = se3.exp(torch.tensor([[0.0] * 6, tangent]).double())
    wall = torch.full((2, 6, 9), disparity).double()
    return Scene(poses, wall, torch.tensor([FOCAL, FOCAL, 4.0, 2.5]).double())


def test_distance_of_a_sideways_step_is_its_flow() -> None:
    scene = moved(0.2, 0, 0, 0, 0, 0, disparity=0.5)
    assert distances(scene, THERE, BACK).item() == pytest.approx(FOCAL * 0.2 * 0.5)


def test_turning_counts_by_its_share() -> None:
    scene = moved(0, 0, 0, 0, 0, 0.3)
    whole = distances(scene, THERE, BACK, 1.0).item()
    assert whole > 0.5
    assert distances(scene, THERE, BACK, 0.25).item() == pytest.approx(whole / 4)
    assert distances(scene, THERE, BACK, 0.0).item() == pytest.approx(0)


def test_frames_behind_each_other_are_far_apart() -> None:
    assert one_way_distances(moved(0, 0, -3, 0, 0, 0), THERE, BACK).item() == UNSEEN


def test_only_cells_in_front_count() -> None:
    scene = moved(0, 0, -1, 0, 0, 0, disparity=0.5)
    close = scene.disparity.clone()
    close[0, 0] = 2.0
    part = replace(scene, disparity=close)
    flow = one_way_distances(part, THERE, BACK).item()
    column = (torch.arange(9) - 4).double()
    row = (torch.arange(1, 6) - 2.5).double()
    assert flow == pytest.approx((column**2 + row[:, None] ** 2).sqrt().mean().item())


def test_a_camera_that_turns_tells_nothing_of_depth_but_of_the_focal() -> None:
    turned = curvature(moved(0, 0, 0, 0, 0.3, 0), THERE, BACK)
    assert turned.disparity == pytest.approx(0, abs=1e-20) and turned.focal > 1e-3
    aside = curvature(moved(0.2, 0, 0, 0, 0, 0), THERE, BACK)
    assert aside.disparity == pytest.approx((FOCAL * 0.2) ** 2)


def test_neighbours_are_ordered_pairs_of_different_frames() -> None:
    found = neighbourhood(3, 6, 1)
    assert found.tolist() == [[3, 4], [4, 3], [4, 5], [5, 4]]


def test_known_pairs_are_left_out_in_their_direction() -> None:
    assert without(neighbourhood(0, 2, 1), np.array([[1, 0]])).tolist() == [[0, 1]]
    assert without(neighbourhood(0, 2, 1), NONE).tolist() == [[0, 1], [1, 0]]


def test_all_stay_while_there_is_room() -> None:
    assert not making_room(np.array([3, 1, 2]), 2, 5).any()


def test_as_many_go_as_have_no_room() -> None:
    assert making_room(np.array([3, 1, 2, 9]), 3, 5).sum() == 2


def test_frames_next_to_each_other_keep_no_others_away() -> None:
    assert list(near((5, 4), 3)) == [(5, 4)]
    assert set(near((9, 6), 3)) == {(9, 6), (8, 6), (10, 6), (9, 5), (9, 7)}
    assert len(list(near((20, 4), 2))) == 13


def pairs_of(costs: np.ndarray, rule: Proximity, known: np.ndarray = NONE) -> list[list[int]]:
    return proximity_edges(costs, 0, 0, known, rule).tolist()


def test_neighbours_are_joined_at_any_distance() -> None:
    far = np.full((4, 4), 1000.0)
    found = pairs_of(far, Proximity(radius=1))
    assert found == [[1, 0], [0, 1], [2, 0], [0, 2], [2, 1], [1, 2], [3, 1], [1, 3], [3, 2], [2, 3]]


def test_near_pairs_come_by_distance_until_there_are_enough() -> None:
    costs = np.full((8, 8), 1000.0)
    costs[6, 1], costs[5, 0], costs[7, 0] = 3.0, 2.0, 13.0
    rule = Proximity(radius=1, suppression=0, threshold=12.0, most=1000)
    chosen = pairs_of(costs, rule)[-4:]
    assert chosen == [[5, 0], [0, 5], [6, 1], [1, 6]]
    neighbours = len(pairs_of(np.full((8, 8), 1000.0), rule))
    enough = pairs_of(costs, replace(rule, most=neighbours))
    assert enough[-2:] == [[5, 0], [0, 5]]


def test_edges_that_were_there_keep_similar_ones_away() -> None:
    costs = np.full((9, 9), 1000.0)
    costs[7, 1] = 2.0
    rule = Proximity(radius=1, suppression=2, most=1000)
    assert [7, 1] in pairs_of(costs, rule)
    assert [7, 1] not in pairs_of(costs, rule, np.array([[8, 2]]))
    assert [7, 1] in pairs_of(costs, rule, np.array([[8, 3]]))
