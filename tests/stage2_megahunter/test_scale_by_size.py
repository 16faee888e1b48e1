"""The scale is what people with straight legs speak for; stray points of others do not decide."""

from dataclasses import replace

import numpy as np
import pytest

from bench.robustness import scenes
from bench.robustness.scenes import PICKER, cut
from stages.body.joint_names import SMPL24_NAMES
from stages.geometry.rotations import matrix_from_rotvec, rotvec_from_matrix
from stages.people.placing import place
from stages.people.posing import posed_points
from stages.stage2_megahunter.first_guess import guess_scale, scale_by_size
from stages.stage2_megahunter.optimisation import solve_scene
from stages.stage2_megahunter.terms import DEFAULT_WEIGHTS

KNEES = [SMPL24_NAMES.index(f"{side}_knee") for side in ("left", "right")]


@pytest.fixture(scope="module")
def walk():
    return scenes.scene("jump_box", 120, scenes.QUIET, frames=80)


def straightened(scene):
    """Bent knees are taken for straighter than they are, straight ones for what they are."""
    rotmats = scene.track.rotmats.copy()
    rotmats[:, KNEES] = matrix_from_rotvec(0.7 * rotvec_from_matrix(rotmats[:, KNEES]))
    return cut(scene, rotmats=rotmats)


def guess(scene, around):
    skeleton = PICKER.skeleton(scene.track.betas)
    placed = place(scene.cameras, scene.track, skeleton)
    return guess_scale(scene.cameras, [scene.track], [around], [skeleton], [placed])


def test_knees_that_are_taken_for_straighter_make_the_world_less_too_large(walk):
    given = straightened(walk)
    by_all = replace(DEFAULT_WEIGHTS, scale=1e-4)
    errors = [
        given.errors(solve_scene(given.cameras, [given.track], [given.around], PICKER, weights))
        for weights in (DEFAULT_WEIGHTS, by_all)
    ]
    assert errors[0]["scale"] < 0.75 * errors[1]["scale"]


def test_a_few_toes_that_agree_on_another_scale_do_not_move_it(walk):
    around, skeleton = walk.around, PICKER.skeleton(walk.track.betas)
    placed = place(walk.cameras, walk.track, skeleton)
    keypoints, _ = posed_points(walk.track.rotmats, placed, skeleton)
    metric = keypoints[..., 2] - skeleton.depths[: keypoints.shape[1]]
    trust = np.zeros_like(around.trust)
    plain = guess(walk, replace(around, trust=trust))
    trust[::10, 12] = 1.0
    stray = guess(walk, replace(around, trust=trust, depths=metric / (1.04 * plain)))
    assert stray == pytest.approx(plain, rel=0.003)


def test_where_ground_is_seen_at_two_heights_a_few_toes_say_which_is_stood_on(walk):
    around, skeleton = walk.around, PICKER.skeleton(walk.track.betas)
    placed = place(walk.cameras, walk.track, skeleton)
    keypoints, _ = posed_points(walk.track.rotmats, placed, skeleton)
    metric = keypoints[..., 2] - skeleton.depths[: keypoints.shape[1]]
    trust = np.zeros_like(around.trust)
    plain = guess(walk, replace(around, trust=trust))
    hidden = np.arange(len(trust)) % 4 > 0
    points = np.where(hidden[:, None, None, None], 1 / 1.18, 1.0) * around.ground_points
    trust[::10, 12] = 1.0
    seen = replace(around, trust=trust, depths=metric / plain, ground_points=points)
    assert guess(walk, replace(seen, trust=0 * trust)) > 1.1 * plain
    assert guess(walk, seen) == pytest.approx(plain, rel=0.02)


def test_keypoints_that_prove_wrong_have_no_say(walk):
    skeleton = PICKER.skeleton(walk.track.betas)
    placed = [place(walk.cameras, walk.track, skeleton)]
    pixels = walk.track.pixels.copy()
    pixels[:, 10:14, 1] += 0.8 * walk.track.sizes_px[:, None]

    def scale(track):
        each = [track], [walk.around], [skeleton], placed
        tolerance, near = DEFAULT_WEIGHTS.pixel_tolerance, guess(walk, walk.around)
        return scale_by_size(walk.cameras, *each, tolerance, near)

    assert scale(replace(walk.track, pixels=pixels)) == pytest.approx(scale(walk.track), rel=0.01)
