"""Rendered scenes by their own point maps: the alignment finds cameras and lens."""

from functools import cache

import pytest
import torch

from bench.worlds.align3r import errors_of
from bench.worlds.places import SCENES, place
from bench.worlds.true_pairs import PairDisturbance, TruePairs
from stages.geometry import se3
from stages.stage1_align3r.alignment.terms import camera_flow

CELL_PX = 16
"""Sixteen times as coarse as the network's pixels, to be quick."""

WALKS, TURNS = 0, 8


@cache
def rendered(scene: int) -> TruePairs:
    return TruePairs(place(*SCENES[scene], 10, 6.0, CELL_PX, short=0.0), CELL_PX)


def test_pairs_are_of_one_place_in_units_of_their_own() -> None:
    made = rendered(WALKS)
    rows, maps, flow = made.disturbed(PairDisturbance())
    units = maps.points_first.norm(dim=-1) / made.own[rows[:, 0]].norm(dim=-1)
    assert units.flatten(1).std(dim=1).max() < 1e-5 < units[:, 0, 0].std()
    truth = made.place.truth
    for k in (3, len(rows) - 2):
        i, j = rows[k].tolist()
        to_second = se3.multiply(truth.T_camera_world[j], se3.inverse(truth.T_camera_world[i]))
        there = se3.act(to_second.float(), maps.points_second[k] / units[k, 0, 0])
        assert torch.allclose(there, made.own[j], rtol=1e-3, atol=1e-3)
        T = se3.matrix(se3.inverse(to_second).float())[None, :3]
        static = ~made.place.person[i]
        found = camera_flow(made.own[i : i + 1], T, truth.intrinsics[0].float())[0]
        assert torch.allclose(found[static], flow[k].movedim(0, -1)[static], atol=1e-3)
        assert (found - flow[k].movedim(0, -1))[~static].abs().max() > 0.05


def test_disturbances_are_as_large_as_they_are_called() -> None:
    made = rendered(WALKS)
    off = made.disturbed(PairDisturbance(depth=0.1, flow_px=3)).maps.points_first
    exact = made.disturbed(PairDisturbance()).maps.points_first
    log = (off[..., 2] / exact[..., 2]).log()
    assert float((log - log.mean(dim=(1, 2), keepdim=True)).std()) == pytest.approx(0.1, rel=0.1)
    flow = made.disturbed(PairDisturbance(flow_px=3)).flow - made.flow
    assert float(flow.std()) == pytest.approx(3 / CELL_PX, rel=0.02)


@pytest.mark.slow
@pytest.mark.parametrize("people", [True, False])
def test_a_walking_camera_and_its_focal_are_found(people: bool) -> None:
    found = errors_of(rendered(WALKS), PairDisturbance(with_people=people), "cpu")
    assert found.path_percent < 0.5 and found.focal_percent < 1


@pytest.mark.slow
def test_a_camera_that_turns_stays_in_place() -> None:
    found = errors_of(rendered(TURNS), PairDisturbance(), "cpu")
    assert found.drift_cm < 1 and found.rotation_deg < 0.3 and found.focal_percent < 1
