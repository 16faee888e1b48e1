"""The frame graph has the edges that the original's has."""

import numpy as np
import pytest
import torch

from stages.stage1_megasam.graph.distance import distances, one_way_distances
from stages.stage1_megasam.graph.edges import NONE, making_room, neighbourhood, without
from stages.stage1_megasam.graph.proximity import Proximity, proximity_edges
from stages.stage1_megasam.observability import curvature
from stages.stage1_megasam.projection import Scene
from tests.stage1_megasam.problems import WXYZ_FIRST, golden_edges, golden_scene

Golden = dict[str, np.ndarray]
pytestmark = pytest.mark.parity
FRAMES = 14


@pytest.fixture(scope="module")
def scene(megasam_golden: Golden) -> Scene:
    return Scene(
        torch.from_numpy(megasam_golden["fd_poses"])[:, WXYZ_FIRST],
        torch.from_numpy(megasam_golden["fd_disps"]),
        torch.from_numpy(megasam_golden["fd_intrinsics"]),
    )


def matrix(scene: Scene, share: float, one_way: bool = False) -> np.ndarray:
    frames = torch.arange(FRAMES)
    ii, jj = torch.meshgrid(frames, frames, indexing="ij")
    measure = one_way_distances if one_way else distances
    return measure(scene, ii.flatten(), jj.flatten(), share).view(FRAMES, FRAMES).numpy()


@pytest.mark.parametrize(
    ("name", "share", "one_way"),
    [("one_way_beta0_3", 0.3, True), ("symmetric_beta0_3", 0.3, False),
     ("symmetric_beta0_25", 0.25, False)],
)  # fmt: skip
def test_distances(
    scene: Scene, megasam_golden: Golden, name: str, share: float, one_way: bool
) -> None:
    theirs = megasam_golden[f"fd_{name}"]
    np.testing.assert_allclose(matrix(scene, share, one_way), theirs, rtol=1e-4, atol=1e-4)


class Graph:
    """The original's order of adding and dropping."""

    def __init__(self, costs: np.ndarray) -> None:
        self.costs = costs
        self.active, self.inactive = NONE, NONE
        self.age = np.zeros(0, np.int64)

    def add(self, pairs: np.ndarray, most: int | None = None) -> None:
        pairs = without(pairs, np.concatenate([self.active, self.inactive]))
        if most is not None:
            self.drop(making_room(self.age, len(pairs), most))
        self.active = np.concatenate([self.active, pairs])
        self.age = np.concatenate([self.age, np.zeros(len(pairs), np.int64)])

    def drop(self, out: np.ndarray) -> None:
        self.inactive = np.concatenate([self.inactive, self.active[out]])
        self.active, self.age = self.active[~out], self.age[~out]

    def add_near(self, end: int, first: tuple[int, int], rule: Proximity, room: bool) -> None:
        known = np.concatenate([self.active, self.inactive])
        costs = self.costs[first[0] : end, first[1] : end]
        self.add(proximity_edges(costs, *first, known, rule), rule.most if room else None)

    def grow(self, end: int, most: int, threshold: float) -> None:
        self.drop(self.age > 25)
        rule = Proximity(2, 1, threshold, most)
        self.add_near(end, (end - 5, max(end - 25, 0)), rule, room=True)

    @property
    def rows(self) -> np.ndarray:
        return np.column_stack([self.active, self.age])


def test_edges_of_a_sequence(scene: Scene, megasam_golden: Golden) -> None:
    threshold = float(megasam_golden["edges_threshold"][0])
    graph = Graph(matrix(scene, 0.25))
    graph.add(neighbourhood(0, 8, 3))
    np.testing.assert_array_equal(graph.active, megasam_golden["edges_init_neighbourhood"])
    graph.add_near(8, (0, 0), Proximity(2, 2, threshold, 48), room=False)
    np.testing.assert_array_equal(graph.active, megasam_golden["edges_init_after_proximity"])
    graph.drop(graph.active[:, 0] < 4)
    np.testing.assert_array_equal(graph.active, megasam_golden["edges_init_after_drop"])
    graph.costs = matrix(scene, 0.3)
    for end in range(9, 15):
        graph.age += 12
        graph.grow(end, 48, threshold)
        np.testing.assert_array_equal(graph.rows, megasam_golden[f"edges_front_t{end}"])
        inactive = megasam_golden[f"edges_front_t{end}_inactive"]
        np.testing.assert_array_equal(graph.inactive, inactive)


def test_edges_that_make_room(scene: Scene, megasam_golden: Golden) -> None:
    graph = Graph(matrix(scene, 0.3))
    graph.add(neighbourhood(0, 8, 3))
    graph.drop(graph.active[:, 0] < 4)
    for end in range(9, 15):
        graph.age += 4 + np.arange(len(graph.age)) % 3
        graph.grow(end, 30, float(megasam_golden["edges_threshold"][0]))
    np.testing.assert_array_equal(graph.rows, megasam_golden["edges_cap30_final"])
    np.testing.assert_array_equal(graph.inactive, megasam_golden["edges_cap30_inactive"])


@pytest.mark.parametrize(
    ("name", "suppression", "most", "threshold"),
    [("edges_back", 3, 16 * FRAMES, "edges_back_threshold"),
     ("edges_capped20", 0, 20, "edges_back_threshold")],
)  # fmt: skip
def test_edges_of_a_whole_video(
    scene: Scene, megasam_golden: Golden, name: str, suppression: int, most: int, threshold: str
) -> None:
    rule = Proximity(2, suppression, float(megasam_golden[threshold][0]), most)
    found = proximity_edges(matrix(scene, 0.3), 0, 0, NONE, rule)
    np.testing.assert_array_equal(found, megasam_golden[name])


def test_curvature_of_disparity_and_focal(megasam_golden: Golden) -> None:
    edges = golden_edges(megasam_golden)
    found = curvature(golden_scene(megasam_golden, "ba_intrinsics"), edges.sources, edges.targets)
    theirs = megasam_golden["observability_median_hessian_calib"]
    assert (found.disparity, found.focal) == pytest.approx(tuple(theirs), rel=1e-3)
