"""Rendered scenes by their own flow: cameras are found, and noise does what it may."""

from functools import cache

import pytest
import torch

from bench.worlds.measure import Errors, errors, tracked
from bench.worlds.places import SCENES, Place, place
from bench.worlds.speed import measured
from bench.worlds.true_flow import Disturbance, TrueFlow, single_pictures
from stages.flow.grid import cell_grid
from stages.stage1_megasam.projection import see

CELL_PX = 32
"""Four times as coarse as the network's, to be quick."""

WALKS, STANDS, TURNS = 0, 7, 8


@cache
def rendered(scene: int, frames: int = 14, cell_px: int = CELL_PX) -> Place:
    return place(*SCENES[scene], frames=frames, fps=6.0, cell_px=cell_px)


def found(made: Place, disturbance: Disturbance, cell_px: int = CELL_PX) -> Errors:
    return errors(made, tracked(made, disturbance, cell_px).scene)


def test_ten_scenes_have_cameras_of_all_kinds() -> None:
    cameras = [camera for _, _, camera in SCENES]
    assert len(SCENES) == 10
    assert cameras.count("stands") == cameras.count("turns") == 2


def test_flow_leads_to_where_the_same_place_is_seen() -> None:
    made = rendered(WALKS)
    flow = TrueFlow(made, Disturbance(), CELL_PX)
    there, back = (
        flow.begin(torch.tensor([i]), torch.tensor([j])).rows for i, j in ((2, 3), (3, 2))
    )
    truth = see(made.truth, torch.tensor([2]), torch.tensor([3])).places[0]
    person = made.person[2]
    assert torch.allclose(there[0][0][~person], truth[~person].float(), atol=1e-4)
    assert (there[1][0][person] == 0).all()
    # Somebody who moves goes elsewhere than the place behind them would.
    assert (there[0][0][person] - truth[person]).abs().max() > 0.05
    assert back[0].shape == there[0].shape


def test_people_are_where_their_triangles_are() -> None:
    made = rendered(STANDS)
    flow = TrueFlow(made, Disturbance(), CELL_PX)
    same = flow.begin(torch.tensor([4]), torch.tensor([4])).rows[0][0]
    assert made.person[4].any()
    assert torch.allclose(same, cell_grid(same[..., 0]), atol=1e-3)


def test_single_pictures_are_off_by_the_share() -> None:
    made = rendered(WALKS)
    off = (single_pictures(made, Disturbance(depth=0.3)) / made.truth.disparity).log()
    assert float(off.std()) == pytest.approx(0.3, rel=0.01)


@pytest.mark.slow
def test_a_walking_camera_and_its_focal_are_found() -> None:
    exact = found(rendered(WALKS), Disturbance(depth=0.1))
    assert exact.path_percent < 0.5 and exact.focal_percent < 1


@pytest.mark.slow
def test_noise_does_not_carry_a_camera_away_that_stands() -> None:
    noisy = found(rendered(STANDS), Disturbance(noise_px=1, outlier_px=5, depth=0.3))
    assert noisy.drift_cm < 1 and noisy.rotation_deg < 0.3


@pytest.mark.slow
def test_a_camera_that_turns_stays_in_place_and_tells_its_focal() -> None:
    made = rendered(TURNS, frames=24, cell_px=16)
    noisy = found(made, Disturbance(noise_px=1, outlier_px=5, depth=0.3), cell_px=16)
    assert noisy.drift_cm < 1 and noisy.rotation_deg < 0.3 and noisy.focal_percent < 1


@pytest.mark.slow
def test_the_networks_do_their_work_and_the_truth_answers() -> None:
    said = measured(frames=8, device="cpu", cell_px=32, small=True, fps=3.0)
    assert said["keyframes"] >= 2 and said["edge_steps"] > 0
    assert said["network_s"] > 0 and said["refinement_s"] > 0
