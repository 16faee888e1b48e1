from functools import cache

import numpy as np
import pytest

from stages.geometry.block_terrain import Block, Terrain
from tests.footage.moving_bodies import depth_below_surface, pose, terrain_for
from tools.footage.motions import ShapedBody, climb_stairs, cross, jump_onto_box, random_motion
from tools.footage.motions import walk as walk_along
from tools.footage.motions.rotations import angle_between

SEEDS = range(101, 113)
FLAT = Terrain("flat")
BOX = Terrain("jump_box", (Block((1.6, 0.0), 0.4, 0.5, 0.35),), start_xy_m=(-0.9, 0.0))
STAIRS = Terrain(
    "stairs",
    (
        Block((1.05, 0.0), 0.15, 0.6, 0.17),
        Block((1.35, 0.0), 0.15, 0.6, 0.34),
        Block((2.0, 0.0), 0.5, 0.6, 0.51),
    ),
    start_xy_m=(-0.9, 0.0),
)


@pytest.fixture(scope="module")
def shaped(model):
    return ShapedBody(model)


@pytest.fixture(scope="module")
def person(shaped):
    return shaped.rest(np.zeros(10))


@pytest.fixture(scope="module")
def random_one(shaped, model):
    @cache
    def make(seed):
        terrain = terrain_for(seed)
        motion = random_motion(seed, shaped, terrain)
        return motion, terrain, pose(motion, model)

    return make


@pytest.fixture(scope="module")
def jump(person):
    return jump_onto_box(person, BOX)


@pytest.fixture(scope="module")
def climb(person):
    return climb_stairs(person, STAIRS)


@pytest.fixture(scope="module")
def walk(person):
    return walk_along(person, FLAT, [(0.0, 0.0), (3.0, 0.0)])


@pytest.mark.parametrize("seed", SEEDS)
def test_a_foot_in_contact_stays_where_it_is(random_one, seed):
    motion, _, body = random_one(seed)
    for side in (0, 1):
        held = motion.contacts[1:, side] & motion.contacts[:-1, side]
        step = np.linalg.norm(np.diff(body.feet_m[side], axis=0), axis=-1).max(1)
        assert not held.any() or step[held].max() * motion.fps < 0.05


@pytest.mark.parametrize("seed", SEEDS)
def test_feet_never_sink_into_the_ground(random_one, seed):
    _, terrain, body = random_one(seed)
    for foot in body.feet_m:
        assert depth_below_surface(foot, terrain).max() < 0.005


@pytest.mark.parametrize("seed", SEEDS)
def test_a_foot_in_contact_touches_the_ground(random_one, seed):
    motion, terrain, body = random_one(seed)
    for side in (0, 1):
        ankle = body.joints_m[:, (7, 8)[side]]
        above = body.feet_m[side][..., 2].min(1) - terrain.height_at(ankle[:, :2])
        assert np.abs(above[motion.contacts[:, side]]).max(initial=0.0) < 0.005


@pytest.mark.parametrize("seed", SEEDS)
def test_a_foot_at_rest_on_the_ground_is_in_contact(random_one, seed):
    motion, _, body = random_one(seed)
    for side in (0, 1):
        foot = body.feet_m[side]
        steps = np.linalg.norm(np.diff(foot, axis=0), axis=-1).max(1) * motion.fps
        resting = np.maximum(steps[1:], steps[:-1]) < 0.02
        assert motion.contacts[1:-1, side][resting].all()


@pytest.mark.parametrize("seed", SEEDS)
def test_no_joint_turns_faster_than_people_can(random_one, seed):
    motion, _, _ = random_one(seed)
    turned = angle_between(motion.local_rotmats[1:], motion.local_rotmats[:-1])
    assert turned.max() * motion.fps < 15.0


@pytest.mark.parametrize("seed", SEEDS)
def test_the_body_never_jerks(random_one, seed):
    motion, _, _ = random_one(seed)
    acceleration = np.diff(motion.root_m, n=2, axis=0) * motion.fps**2
    assert np.linalg.norm(acceleration, axis=1).max() < 45.0  # landings take most


@pytest.mark.parametrize("seed", SEEDS)
def test_knees_only_bend_backward(random_one, seed):
    _, _, body = random_one(seed)
    for hip, knee, ankle in ((1, 4, 7), (2, 5, 8)):
        thigh = body.joints_m[:, knee] - body.joints_m[:, hip]
        shin = body.joints_m[:, ankle] - body.joints_m[:, knee]
        axis = body.R_world_joint[:, hip, :, 0]
        assert (np.sum(np.cross(thigh, shin) * axis, axis=1) > 0).all()


def test_a_seed_gives_one_motion(shaped):
    first, again, other = (random_motion(s, shaped, terrain_for(103)) for s in (103, 103, 106))
    assert np.array_equal(first.local_rotmats, again.local_rotmats)
    assert np.array_equal(first.root_m, again.root_m)
    assert not np.array_equal(first.root_m, other.root_m)


@pytest.mark.parametrize("seed", [101, 102, 103])
def test_a_motion_is_the_same_at_every_rate(shaped, seed):
    slow, fast = (
        random_motion(seed, shaped, terrain_for(seed), seconds=2.0, fps=fps) for fps in (25.0, 50.0)
    )
    assert len(slow) == 51 and len(fast) == 101
    assert np.abs(fast.root_m[::2] - slow.root_m).max() < 1e-9
    assert np.abs(fast.local_rotmats[::2] - slow.local_rotmats).max() < 1e-9
    assert np.array_equal(fast.contacts[::2], slow.contacts)


def test_a_walker_faces_where_they_go_and_arrives(walk, model):
    joints = pose(walk, model).joints_m
    facing = walk.local_rotmats[:, 0, :, 2]
    assert (facing[:, 0] > 0.9).all()
    assert np.abs(joints[-1, (7, 8), 0] - 3.0).max() < 0.01
    left, right = joints[:, 1], joints[:, 2]
    assert ((left - right)[:, 1] > 0.1).all()


def test_arms_swing_with_the_other_leg(walk, model):
    joints = pose(walk, model).joints_m[30:-30]
    legs = joints[:, 7, 0] - joints[:, 8, 0]
    arms = joints[:, 20, 0] - joints[:, 21, 0]
    assert np.corrcoef(legs, arms)[0, 1] < -0.8


def test_a_walker_bobs_and_never_floats(walk):
    height = walk.root_m[30:-30, 2]
    assert 0.01 < np.ptp(height) < 0.09
    assert walk.contacts.any(1).mean() > 0.8


def test_a_jumper_falls_freely_between_the_ground_and_the_box(jump, model):
    feet = np.concatenate(pose(jump, model).feet_m, axis=1)[..., 2].min(1)
    leaves = int(np.argmax(feet > 0.02))
    lands = leaves + int(np.argmax(jump.contacts[leaves:].any(1)))
    in_air = np.arange(leaves + 1, lands - 1)
    rise = np.diff(jump.root_m[:, 2], n=2) * jump.fps**2
    assert len(in_air) >= 6
    assert np.abs(rise[in_air - 1] + 9.81).max() < 0.05
    assert np.diff(jump.root_m[in_air, 0]).min() > 0.0


def test_a_jumper_ends_with_both_feet_on_the_box(jump, model):
    ends = pose(jump, model)
    for foot in ends.feet_m:
        assert abs(foot[-1][:, 2].min() - 0.35) < 0.002
        assert BOX.steps[0].covers(foot[-1][:, :2]).all()
    assert jump.contacts[-1].all() and not jump.contacts.any(1).all()


def test_a_climber_sets_a_foot_on_every_step(climb, model):
    body = pose(climb, model)
    heights = {
        round(float(body.feet_m[side][frame, :, 2].min()), 2)
        for side in (0, 1)
        for frame in np.flatnonzero(climb.contacts[:, side])
    }
    assert heights == {0.0, 0.17, 0.34, 0.51}
    assert climb.contacts[-1].all()


def test_two_people_pass_each_other(shaped, model):
    bodies = (shaped.rest(np.zeros(10)), shaped.rest(np.ones(10)))
    one, two = cross(bodies, FLAT, seconds=3.0)
    assert len(one) == len(two) == 91
    gap = one.root_m[:, :2] - two.root_m[:, :2]
    assert gap[0, 0] < -1.0 and gap[-1, 0] > 1.0
    assert np.linalg.norm(gap, axis=1).min() > 0.5
    assert one.local_rotmats[:, 0, 0, 2].min() > 0.9 > -0.9 > two.local_rotmats[:, 0, 0, 2].max()


@pytest.mark.parametrize("act", [jump_onto_box, climb_stairs])
def test_a_terrain_without_steps_is_refused(person, act):
    with pytest.raises(ValueError, match="kind 'flat' has no steps"):
        act(person, FLAT)
