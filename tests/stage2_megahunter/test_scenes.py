"""People whose motion is known, before moving cameras, measured well, badly and in part."""

from dataclasses import replace

import numpy as np
import pytest

from bench.robustness.disturbances import second_person
from bench.robustness.scenes import PICKER, cut
from stages.stage2_megahunter.optimisation import solve_scene


def solved(*scenes):
    first = scenes[0]
    return solve_scene(first.cameras, [s.track for s in scenes], [s.around for s in scenes], PICKER)


def test_good_measurements_give_scale_path_and_pose(quiet):
    found = solved(quiet)
    errors = quiet.errors(found)
    assert errors["scale"] < 0.02
    assert errors["path_m"] < 0.03
    assert errors["mpjpe_m"] < 0.04
    assert found.converged


@pytest.fixture(scope="module")
def plain(noisy):
    return noisy.errors(solved(noisy))


def test_noise_of_networks_leaves_the_answer_usable(plain):
    assert plain["scale"] < 0.05
    assert plain["path_m"] < 0.1
    assert plain["mpjpe_m"] < 0.1


def test_no_term_without_a_final_cost(noisy):
    costs = solved(noisy).term_costs
    assert {
        "2d projection",
        "3d alignment",
        "ground contact",
        "planted feet",
        "rotation prior",
        "local pose smoothness",
    } <= set(costs)
    assert all(np.isfinite(cost) for cost in costs.values())


def test_two_people_share_one_scale_and_keep_their_ids(noisy, plain):
    half = np.arange(len(noisy.track.valid)) < len(noisy.track.valid) // 2
    both = solve_scene(
        noisy.cameras, [noisy.track, second_person(noisy)], [noisy.around] * 2, PICKER
    )
    assert [p.person for p in both.people] == [1, 2]
    assert noisy.errors(both)["mpjpe_m"] < plain["mpjpe_m"] + 0.03
    gap = np.linalg.norm(both.people[0].root - both.people[1].root, axis=1)[half]
    assert gap.mean() < 0.05


def test_without_contacts_and_depth_the_camera_path_alone_still_gives_an_answer(noisy):
    around = replace(noisy.around, ground_weights=np.zeros_like(noisy.around.ground_weights))
    contacts = np.zeros_like(noisy.track.contacts)
    found = solved(cut(replace(noisy, around=around), contacts=contacts))
    assert np.isfinite(found.people[0].root).all()
    assert found.scale > 0
