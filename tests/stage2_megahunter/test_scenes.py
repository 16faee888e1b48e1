"""People whose motion is known, before moving cameras, measured well, badly and in part."""

from dataclasses import replace

import numpy as np
import pytest

from stages.geometry.rotations import matrix_from_rotvec
from stages.stage2_megahunter.optimisation import solve_scene
from stages.stage2_megahunter.tracks import Track
from tools.robustness.scenes import PICKER, cut


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


def test_forty_percent_of_the_keypoints_may_be_wrong(noisy, plain):
    rng = np.random.default_rng(0)
    pixels = noisy.track.pixels.copy()
    wrong = rng.random(pixels.shape[:2]) < 0.4
    pixels[wrong] += rng.normal(0, 40.0, (*pixels.shape[:2], 2))[wrong]
    errors = noisy.errors(solved(cut(noisy, pixels=pixels)))
    assert errors["scale"] < 0.08
    assert errors["mpjpe_m"] < plain["mpjpe_m"] + 0.08


def test_a_first_orientation_a_quarter_turn_off_is_mended_by_the_keypoints(noisy):
    rotmats = noisy.track.rotmats.copy()
    turn = matrix_from_rotvec(np.array([0.0, np.pi / 2, 0.0]))
    rotmats[:, 0] = rotmats[:, 0] @ turn
    found = solved(cut(noisy, rotmats=rotmats)).people[0]
    true = noisy.Ts_true[0, :3, :3].T @ noisy.motion.local_rotmats[:, 0]
    cosine = np.einsum("tab,tab->t", found.rotmats[:, 0], true) / 3.0
    assert np.median(cosine) > np.einsum("ab->", np.eye(3) * turn) / 3.0


def test_thirty_missing_frames_in_a_row_leave_the_others_as_good(noisy, plain):
    detected = noisy.track.detected.copy()
    detected[15:45] = False
    scene = cut(noisy, detected=detected, valid=detected)
    found = solved(scene)
    errors = scene.errors(found)
    assert errors["scale"] < 0.08
    assert errors["mpjpe_m"] < plain["mpjpe_m"] + 0.08
    assert found.people[0].detected.sum() == detected.sum()


def shifted(scene, frames_present) -> Track:
    """The same person again under another id, seen in some frames only."""
    return replace(scene.track, person=2, detected=frames_present, valid=frames_present)


def test_two_people_share_one_scale_and_keep_their_ids(noisy, plain):
    half = np.arange(len(noisy.track.valid)) < len(noisy.track.valid) // 2
    both = solve_scene(
        noisy.cameras, [noisy.track, shifted(noisy, half)], [noisy.around] * 2, PICKER
    )
    assert [p.person for p in both.people] == [1, 2]
    assert noisy.errors(both)["mpjpe_m"] < plain["mpjpe_m"] + 0.03
    gap = np.linalg.norm(both.people[0].root - both.people[1].root, axis=1)[half]
    assert gap.mean() < 0.05


@pytest.mark.parametrize("factor", [0.1, 10.0])
def test_the_units_of_the_reconstruction_do_not_matter(noisy, plain, factor):
    Ts = noisy.cameras.Ts_world_camera.copy()
    Ts[:, :3, 3] *= factor
    around = replace(
        noisy.around,
        depths=noisy.around.depths * factor,
        ground_points=noisy.around.ground_points * factor,
    )
    scene = replace(
        noisy,
        cameras=replace(noisy.cameras, Ts_world_camera=Ts),
        around=around,
        scale=noisy.scale / factor,
    )
    errors = scene.errors(solved(scene))
    assert errors["scale"] == pytest.approx(plain["scale"], abs=0.005)
    assert errors["path_m"] == pytest.approx(plain["path_m"], abs=0.01)


def test_without_contacts_and_depth_the_camera_path_alone_still_gives_an_answer(noisy):
    around = replace(noisy.around, ground_weights=np.zeros_like(noisy.around.ground_weights))
    planted = np.zeros_like(noisy.track.planted)
    found = solved(cut(replace(noisy, around=around), planted=planted))
    assert np.isfinite(found.people[0].root).all()
    assert found.scale > 0
