"""Whatever people do and whatever is missing, the robot can do what comes out."""

import numpy as np
import pytest

from bench.robustness.clips import KINDS, person, place
from bench.robustness.disturbances import lying, standing_spots, with_holes
from bench.robustness.stage4 import CASES, moved
from stages.robot.model import load_g1
from stages.stage4_retarget.contacts import shins_up
from stages.stage4_retarget.foot_targets import TOES


@pytest.fixture(scope="module")
def found():
    """Motions by case and kind of place."""
    robot = load_g1()
    return {(case, kind): moved(robot, case, kind) for case in CASES for kind in KINDS}


def said(motion) -> str:
    return "; ".join(motion.found.ignored)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("case", CASES)
def test_every_motion_is_feasible(found, case, kind):
    motion = found[case, kind]
    assert np.isfinite(motion.found.joints).all()
    assert np.isfinite(motion.found.p_world_root).all()
    assert motion.found.converged
    assert motion.quality.joint_limit_violations == 0
    assert motion.found.clipped_rad < 1e-6
    assert motion.quality.velocity_within_limits >= 0.995
    assert motion.quality.self_collision_m <= 0.01
    assert motion.body_below_ground_m <= 0.01


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("case", ["lying on the back", "lying on the side"])
def test_feet_of_somebody_who_lies_are_not_held_on_the_ground(found, case, kind):
    motion = found[case, kind]
    assert "with the shin down" in said(motion) or "no foot is ever in contact" in said(motion)
    assert not (motion.found.contacts & ~shins_up(motion.person.joints)).any()
    assert motion.quality.below_ground_worst_m < 0.01


@pytest.mark.parametrize("kind", KINDS)
def test_shins_of_people_on_their_feet_are_up_where_they_stand(kind):
    upright = person(kind)
    assert shins_up(upright.joints)[upright.flags.touching].all()
    assert not shins_up(lying(upright, place(kind)).joints).all()


@pytest.mark.parametrize("kind", KINDS)
def test_a_foot_that_was_seen_in_the_ground_stands_on_it(found, kind):
    motion = found["left foot 8 cm too low", kind]
    assert motion.quality.below_ground_mean_m < 0.005
    assert motion.quality.below_ground_worst_m < 0.01


@pytest.mark.parametrize("kind", KINDS)
def test_it_is_said_how_often_a_foot_in_contact_has_no_ground(found, kind):
    motion = found["holes under every other stance", kind]
    spots = standing_spots(motion.person)
    hole = np.isnan(with_holes(place(kind), motion.person).surface_at(spots))
    apart = np.linalg.norm(motion.person.joints[:, TOES, None] - spots, axis=-1)
    over_hole = hole[apart.argmin(axis=2)]
    frames = int((motion.found.feet.contact & over_hole).any(axis=1).sum())
    assert frames > 20
    assert f"no ground at the feet in {frames} frames of contact" in said(motion)
    assert motion.quality.foot_sliding_m_s < 0.015
    assert "no ground" not in said(found["undisturbed", kind])


def test_holes_are_where_feet_stand(found):
    ground = with_holes(place("stairs"), person("stairs"))
    spots = standing_spots(person("stairs"))
    known = np.isfinite(ground.surface_at(spots))
    assert not known[::2].any()
    assert known[1::2].any()


@pytest.mark.parametrize("kind", KINDS)
def test_without_a_mesh_feet_keep_the_person_s_heights_and_it_says_so(found, kind):
    motion = found["no mesh", kind]
    assert "no mesh" in said(motion)
    assert "no ground at the feet" not in said(motion)
    assert motion.quality.below_ground_mean_m < 0.02
    assert motion.quality.foot_sliding_m_s < 0.015


@pytest.mark.parametrize("kind", KINDS)
def test_without_any_contact_no_foot_is_held_and_it_says_so(found, kind):
    motion = found["contacts all zero", kind]
    assert "no foot is ever in contact" in said(motion)
    assert not motion.found.contacts.any()
    assert motion.quality.below_ground_worst_m < 0.02
