"""The scale is what people's sizes speak for at straight legs, as far as that is sure; stray points
do not decide."""

from dataclasses import replace

import numpy as np
import pytest

from bench.robustness import scenes
from bench.robustness.scenes import PICKER, cut
from stages.body.joint_names import SMPL24_NAMES
from stages.geometry.placement import first_scale
from stages.geometry.rotations import matrix_from_rotvec, rotvec_from_matrix
from stages.people.placing import place
from stages.people.posing import posed_points
from stages.stage2_megahunter.first_guess import guess_scale
from stages.stage2_megahunter.lengths import lengths_of
from stages.stage2_megahunter.optimisation import solve_scene
from stages.stage2_megahunter.scale_by_size import LOOK_S, bent_more, scale_by_size
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


def by_all_poses_alike(scene):
    skeleton = PICKER.skeleton(scene.track.betas)
    placed = place(scene.cameras, scene.track, skeleton)
    lengths = lengths_of(scene.track, scene.around, skeleton, placed)
    return first_scale(*(each.ravel() for each in lengths))


def by_size(scene, **changed):
    """With people where the scene's track has them."""
    skeleton = PICKER.skeleton(scene.track.betas)
    placed = [place(scene.cameras, scene.track, skeleton)]
    track = replace(scene.track, **changed)
    each = [track], [scene.around], [skeleton], placed
    return scale_by_size(scene.cameras, *each, DEFAULT_WEIGHTS.pixel_tolerance, scene.scale)


def seen_with(scene, rng, share):
    """Every look finds the ground nearer or further by a random share."""
    times_s = scene.cameras.times_s
    look_of = ((times_s - times_s[0]) / LOOK_S).astype(int)
    factors = np.exp(share * rng.normal(size=look_of[-1] + 1))[look_of]
    points = scene.around.ground_points * factors[:, None, None, None]
    trust = np.zeros_like(scene.around.trust)
    return replace(scene, around=replace(scene.around, ground_points=points, trust=trust))


def test_knees_that_are_taken_for_straighter_make_the_world_less_too_large(walk):
    given = straightened(walk)
    by_all = replace(DEFAULT_WEIGHTS, scale=1e-4)
    errors = [
        given.errors(solve_scene(given.cameras, [given.track], [given.around], PICKER, weights))
        for weights in (DEFAULT_WEIGHTS, by_all)
    ]
    assert errors[0]["scale"] < 0.75 * errors[1]["scale"]


def test_that_legs_are_taken_for_straighter_is_found_where_it_is_so(walk):
    assert by_size(walk).scale == pytest.approx(walk.scale, rel=0.005)
    given = straightened(walk)
    too_large = by_all_poses_alike(given) / walk.scale - 1
    assert too_large > 0.008
    assert by_size(given).scale == pytest.approx(walk.scale, rel=0.4 * too_large)


def test_legs_are_bent_with_trunk_and_soles_as_they_were(walk):
    rotmats = walk.track.rotmats
    more = bent_more(rotmats, 0.2)

    def bend(each):
        return np.linalg.norm(rotvec_from_matrix(each[:, KNEES]), axis=-1)

    np.testing.assert_allclose(bend(more), 1.2 * bend(rotmats), rtol=1e-4)
    others = [
        row for row, name in enumerate(SMPL24_NAMES) if not name.endswith(("hip", "knee", "ankle"))
    ]
    np.testing.assert_array_equal(more[:, others], rotmats[:, others])


def test_the_error_that_it_says_is_the_one_that_it_has(walk):
    rng = np.random.default_rng(0)
    for share in (0.01, 0.025):
        found = [by_size(seen_with(walk, rng, share)) for _ in range(40)]
        off = np.log([each.scale / by_size(walk).scale for each in found])
        said = np.sqrt(np.mean([each.error**2 for each in found]))
        assert 0.6 < np.sqrt(np.mean(off**2)) / said < 1.5


def test_sizes_that_scatter_or_are_seen_briefly_pull_less(walk):
    quiet = by_size(walk).error
    assert by_size(seen_with(walk, np.random.default_rng(1), 0.04)).error > 2 * quiet
    contacts = walk.track.contacts & (np.arange(80) < 15)[:, None]
    no_depth = replace(walk, around=replace(walk.around, trust=np.zeros_like(walk.around.trust)))
    assert by_size(no_depth, contacts=contacts).error > 2 * quiet

    def pull(scene):
        """Share of the way from the solver's own scale to that by size."""
        given = straightened(scene)
        own, held, far = (
            np.log(
                solve_scene(
                    given.cameras,
                    [given.track],
                    [given.around],
                    PICKER,
                    replace(DEFAULT_WEIGHTS, scale=weight),
                ).scale
            )
            for weight in (1e-4, DEFAULT_WEIGHTS.scale, 100.0)
        )
        return (held - own) / (far - own)

    assert pull(seen_with(walk, np.random.default_rng(1), 0.04)) < 0.95 * pull(walk)


def test_a_few_toes_that_agree_on_another_scale_do_not_move_it(walk):
    around, skeleton = walk.around, PICKER.skeleton(walk.track.betas)
    placed = place(walk.cameras, walk.track, skeleton)
    keypoints, _ = posed_points(walk.track.rotmats, placed, skeleton)
    metric = keypoints[..., 2] - skeleton.depths[: keypoints.shape[1]]
    trust = np.zeros_like(around.trust)
    plain = by_size(replace(walk, around=replace(around, trust=trust))).scale
    trust[::10, 12] = 1.0
    strays = replace(around, trust=trust, depths=metric / (1.04 * plain))
    assert by_size(replace(walk, around=strays)).scale == pytest.approx(plain, rel=0.003)


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
    pixels = walk.track.pixels.copy()
    pixels[:, 10:14, 1] += 0.8 * walk.track.sizes_px[:, None]
    assert by_size(walk, pixels=pixels).scale == pytest.approx(by_size(walk).scale, rel=0.01)
