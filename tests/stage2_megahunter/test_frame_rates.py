"""The same motion leads to the same path, however often and how evenly it was filmed."""

from dataclasses import replace

import jax
import numpy as np
import pytest

from bench.robustness.disturbances import turned
from bench.robustness.scenes import PICKER, Scene, cut, scene
from stages.geometry.rotations import angle_between, matrix_from_rotvec, slerp
from stages.people.contact_parts import PARTS
from stages.people.skeleton import SOLES
from stages.solving import View
from stages.solving.rows import flatten
from stages.stage2_megahunter.heading import facing_keypoints
from stages.stage2_megahunter.optimisation import solve_scene
from stages.stage2_megahunter.scene_samples import SceneSamples
from stages.stage2_megahunter.terms import (
    DEFAULT_WEIGHTS,
    PROBLEM,
    TIME_UNIT_S,
    Observations,
    Pose,
)


def of_track(given: Scene, rows) -> Scene:
    names = ("detected", "valid", "pixels", "scores", "boxes", "rotmats", "contacts")
    return replace(
        given,
        track=replace(given.track, **{name: getattr(given.track, name)[rows] for name in names}),
        around=SceneSamples(*(values[rows] for values in vars(given.around).values())),
    )


def some_frames(given: Scene, rows) -> Scene:
    """As if only these frames had been filmed."""
    return replace(of_track(given, rows), cameras=given.cameras.at(rows))


def twice_as_many(given: Scene) -> Scene:
    """With a frame between each two, measured as in the middle of both."""
    frames = np.arange(2 * len(given.track.valid) - 1) / 2
    before, after = np.floor(frames).astype(int), np.ceil(frames).astype(int)

    def between(values):
        return 0.5 * (values[before] + values[after])

    def turned(R):
        return slerp(np.arange(len(R)), R, frames)

    cameras, track = given.cameras, given.track
    Ts = between(cameras.Ts_world_camera)
    Ts[:, :3, :3] = turned(cameras.R_world_camera)
    fields = {name: between(getattr(track, name)) for name in ("pixels", "scores", "boxes")}
    fields["rotmats"] = np.stack([turned(track.rotmats[:, j]) for j in range(24)], axis=1)
    many = cut(of_track(given, before), **fields)
    return replace(
        many,
        cameras=replace(
            cameras,
            intrinsics=cameras.intrinsics[before],
            Ts_world_camera=Ts,
            times_s=between(cameras.times_s),
        ),
    )


def path_of(given: Scene):
    """The pelvis, as solved."""
    return solve_scene(given.cameras, [given.track], [given.around], PICKER).people[0].root


def off_m(one: Scene, path, other: Scene, other_path):
    """How far two paths are apart at the times of the first."""
    times_s, its = one.cameras.times_s, other.cameras.times_s
    there = np.stack([np.interp(times_s, its, axis) for axis in other_path.T], axis=1)
    return np.linalg.norm(path - there, axis=1)


@pytest.fixture(scope="module")
def jump():
    """A jump at 30 frames a second, measured as badly as networks do, and its path."""
    given = scene("jump_box", 120)
    return given, path_of(given)


UNEVEN = np.concatenate([np.arange(33), np.arange(33, 100, 3)])


@pytest.mark.parametrize("rows", [np.arange(0, 100, 3), UNEVEN], ids=["10 fps", "30, then 10 fps"])
def test_fewer_frames_lead_to_the_same_path_and_a_jump_keeps_its_height(jump, rows):
    given, path = jump
    fewer = some_frames(given, rows)
    found = path_of(fewer)
    off = off_m(fewer, found, given, path)
    assert off.mean() < 0.02
    assert off.max() < 0.05
    up = given.Ts_true[0, 2, :3]  # the world's up axis in the first camera
    assert np.ptp(found @ up) == pytest.approx(np.ptp(path @ up), abs=0.025)


def test_more_frames_lead_to_the_same_path(jump):
    given, _ = jump
    part = some_frames(given, np.arange(25, 75))
    many = twice_as_many(part)
    off = off_m(many, path_of(many), part, path_of(part))
    assert off.mean() < 0.01
    assert off.max() < 0.03


@pytest.mark.parametrize("step", [1, 3], ids=["30 fps", "10 fps"])
def test_a_heading_wrong_for_most_of_a_second_is_mended_at_every_frame_rate(step):
    whole = scene("stairs", 103)
    right = some_frames(whole, np.arange(0, 100, step))
    wrong = some_frames(turned(whole, 90.0), np.arange(0, 100, step))
    during = (right.cameras.times_s > 1.0) & (right.cameras.times_s < 1.8)
    rotmats = np.where(during[:, None, None, None], wrong.track.rotmats, right.track.rotmats)
    given = cut(right, rotmats=rotmats)
    found = facing_keypoints(given.cameras, given.track, PICKER.skeleton(given.track.betas))
    off_rad = angle_between(found.rotmats[during, 0], right.track.rotmats[during, 0])
    assert np.median(off_rad) < np.deg2rad(1.0)
    np.testing.assert_array_equal(found.rotmats[~during], right.track.rotmats[~during])


def costs_of_pairs(times_s):
    """Cost of each term on neighbours for a smooth motion that is seen at such times."""
    dt_s = np.diff(times_s)
    swing = np.sin(np.pi * times_s)
    p = np.stack([times_s, swing, 1.0 + 0.1 * swing], axis=1)
    too_fast_m_s = 0.1
    v = (np.diff(p, axis=0) / dt_s[:, None] + too_fast_m_s) * TIME_UNIT_S
    R = matrix_from_rotvec(swing[:, None, None] * np.linspace(0.1, 0.5, 72).reshape(24, 3))
    soles = 0.2 * swing[:, None, None] * np.ones((SOLES + PARTS, 3))
    blank = dict.fromkeys(Observations._fields)
    contacts = np.ones((len(dt_s), 2))
    parts = np.ones((len(dt_s), PARTS))
    seen = Observations(
        **blank | {"dt": dt_s / TIME_UNIT_S, "contacts": contacts, "part_contacts": parts}
    )
    w = DEFAULT_WEIGHTS.as_constants()

    def cost(x, y, soles, soles_next, seen, seen_next):
        rows = PROBLEM.pair_residuals(View(x, soles), View(y, soles_next), None, seen, seen_next, w)
        return flatten(rows | PROBLEM.blocks.pair_residuals(x, y, seen, seen_next, w))[2]

    given = []
    for values in (Pose(R[:-1], p[:-1], v), soles[:-1], seen):
        given += [
            jax.tree.map(lambda leaf: leaf[:-1], values),
            jax.tree.map(lambda leaf: leaf[1:], values),
        ]
    return {term: float(costs.sum()) for term, costs in jax.vmap(cost)(*given).items()}


@pytest.mark.parametrize("fps", [10.0, 30.0, "uneven"])
def test_what_ties_neighbours_costs_the_same_at_every_frame_rate(fps):
    seconds = 4.0
    if fps == "uneven":
        rng = np.random.default_rng(0)
        times_s = np.unique(np.r_[0.0, seconds, rng.choice(np.arange(1, 480), 120) / 120.0])
    else:
        times_s = np.arange(round(seconds * fps) + 1) / fps
    costs, expected = costs_of_pairs(times_s), costs_of_pairs(np.arange(481) / 120.0)
    assert set(costs) == {
        "translation smoothness", "translation step", "translation acceleration", "planted feet",
        "held parts", "root rotation smoothness", "local pose smoothness",
    }  # fmt: skip
    for term, cost in costs.items():
        assert cost == pytest.approx(expected[term], rel=0.08), term
