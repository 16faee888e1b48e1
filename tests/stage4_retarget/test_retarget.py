"""People's motions become robot motions that stand on the ground and stay within the robot."""

from dataclasses import replace

import numpy as np
import pytest

from bench.robustness.clips import motion, person, terrain
from stages.robot.model import load_g1
from stages.robot.rest import link_trajectories
from stages.robot.soles import sole_trajectories
from stages.stage4_retarget.contacts import Flags
from stages.stage4_retarget.quality import measure
from stages.stage4_retarget.retarget import Person, retarget


@pytest.fixture(scope="module")
def robot():
    return load_g1()


def quality_of(robot, someone, found, ground, contacts=None):
    return measure(
        robot, found.R_world_root, found.p_world_root, found.joints,
        found.contacts if contacts is None else contacts, someone.times_s, ground, someone.joints,
    )  # fmt: skip


def soles_of(robot, found):
    return sole_trajectories(
        robot, *link_trajectories(robot, found.R_world_root, found.p_world_root, found.joints)
    )


def assert_feasible(robot, someone, found, ground):
    """Whatever came in, the robot can do what comes out."""
    quality = quality_of(robot, someone, found, ground)
    assert np.isfinite(found.joints).all() and np.isfinite(found.p_world_root).all()
    assert quality.joint_limit_violations == 0
    assert found.clipped_rad < 1e-6
    assert quality.velocity_within_limits >= 0.995
    return quality


@pytest.mark.parametrize("kind", ["flat", "stairs", "jump_box"])
def test_the_robot_follows_on_its_feet(robot, kind):
    someone, ground = person(kind), terrain(kind)
    found = retarget(robot, someone, ground)
    assert found.converged and found.ignored == ()
    quality = assert_feasible(robot, someone, found, ground)
    assert quality.below_ground_mean_m < 0.005
    assert quality.below_ground_worst_m < 0.02
    assert quality.self_collision_m < 0.01
    assert quality_of(
        robot, someone, found, ground, motion(kind).contacts
    ).foot_sliding_m_s < 0.015  # fmt: skip
    toes = soles_of(robot, found)[:, :, 2:].mean(axis=2)
    away = np.linalg.norm(toes - found.feet.position, axis=-1)
    assert away[found.feet.contact].max() < 0.05


def test_the_root_faces_and_stands_as_the_person_does(robot):
    found = retarget(robot, person("flat"), terrain("flat"))
    forward, up = found.R_world_root[:, :, 0], found.R_world_root[:, :, 2]
    assert (forward[:, 0] > 0.9).all()
    assert (up[:, 2] > 0.9).all()
    assert 0.6 < np.median(found.p_world_root[:, 2]) < 0.8


def test_limbs_point_where_the_person_s_do(robot):
    someone = person("jump_box")
    found = retarget(robot, someone, terrain("jump_box"))
    _, p = link_trajectories(robot, found.R_world_root, found.p_world_root, found.joints)
    for side, (shoulder, elbow) in {"left": (16, 18), "right": (17, 19)}.items():
        human = someone.joints[:, elbow] - someone.joints[:, shoulder]
        upper_arm = (
            p[:, robot.link(f"{side}_elbow_link")] - p[:, robot.link(f"{side}_shoulder_roll_link")]
        )
        cosine = (human * upper_arm).sum(axis=1) / (
            np.linalg.norm(human, axis=1) * np.linalg.norm(upper_arm, axis=1)
        )
        assert np.median(cosine) > 0.9


def test_half_the_frame_rate_gives_the_same_motion(robot):
    slow = retarget(robot, person("flat", 1.5, 30.0), terrain("flat"))
    fast = retarget(robot, person("flat", 1.5, 60.0), terrain("flat"))
    apart = np.abs(slow.joints - fast.joints[: 2 * len(slow.joints) : 2])
    assert apart.mean() < 0.03
    assert np.quantile(apart, 0.99) < 0.2


def test_unknown_contacts_are_judged_by_motion_and_it_says_so(robot):
    someone = person("flat")
    silent = replace(
        someone,
        flags=Flags(np.zeros_like(someone.flags.touching), np.zeros_like(someone.flags.known)),
    )
    found = retarget(robot, silent, terrain("flat"))
    quality = assert_feasible(robot, silent, found, terrain("flat"))
    assert quality.below_ground_worst_m < 0.02
    assert any("unknown in" in said for said in found.ignored)
    assert (found.contacts == motion("flat").contacts).mean() > 0.85


def test_a_person_who_never_stands_still_has_no_contact_and_it_says_so(robot):
    someone = person("flat")
    away = np.linspace(0, 12, len(someone.joints))[:, None, None] * [1.0, 0, 0] + [0, 0, 0.5]
    flying = replace(
        someone,
        joints=(someone.joints + away).astype(np.float32),
        flags=Flags(np.zeros_like(someone.flags.touching), someone.flags.known),
    )
    found = retarget(robot, flying, terrain("flat"))
    assert_feasible(robot, flying, found, terrain("flat"))
    assert any("no foot is ever in contact" in said for said in found.ignored)


def test_noise_in_the_person_s_feet_does_not_reach_feet_in_contact(robot):
    someone = person("stairs")
    rng = np.random.default_rng(0)
    times = someone.times_s[:, None, None]
    drift = 0.02 * np.sin(2 * np.pi * 1.3 * times + rng.uniform(0, 6, (1, 45, 3)))
    noisy = replace(someone, joints=(someone.joints + drift).astype(np.float32))
    found = retarget(robot, noisy, terrain("stairs"))
    quality = assert_feasible(robot, noisy, found, terrain("stairs"))
    assert quality.foot_sliding_m_s < 0.02
    assert quality.below_ground_mean_m < 0.005


def test_what_was_not_seen_is_hardly_followed(robot):
    someone, rows = person("flat"), slice(40, 46)
    joints, seen = someone.joints.copy(), np.ones(len(someone.joints), bool)
    joints[rows, 18:22] += np.array([0, 0, 0.5], np.float32)
    seen[rows] = False
    wrong = replace(someone, joints=joints)
    right = retarget(robot, someone, terrain("flat")).joints
    apart = [
        np.abs(retarget(robot, each, terrain("flat")).joints - right)[rows].max()
        for each in (wrong, replace(wrong, seen=seen))
    ]
    assert apart[1] < 0.3 * apart[0]


def test_a_person_sunk_into_the_mesh_is_brought_up(robot):
    someone = person("flat")
    sunk = replace(someone, joints=someone.joints - np.array([0, 0, 0.05], np.float32))
    found = retarget(robot, sunk, terrain("flat"))
    assert quality_of(robot, sunk, found, terrain("flat")).below_ground_worst_m < 0.02


@pytest.mark.parametrize("frames", [2, 5])
def test_very_short_motions_work(robot, frames):
    someone = person("flat")
    rows = slice(0, frames)
    short = Person(
        someone.joints[rows], someone.R_world_root[rows], someone.times_s[rows],
        Flags(someone.flags.touching[rows], someone.flags.known[rows]),
    )  # fmt: skip
    assert_feasible(robot, short, retarget(robot, short, terrain("flat")), terrain("flat"))
