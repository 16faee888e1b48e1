"""Which frames count as contact, and where the feet then go."""

import numpy as np
import pytest

from bench.robustness.clips import motion, no_terrain, person, terrain
from stages.geometry.intervals import runs_of_true
from stages.robot.terrain import Terrain
from stages.stage4_retarget.contacts import (
    Flags,
    contact_numbers,
    foot_contacts,
    likeliest_course,
)
from stages.stage4_retarget.foot_targets import HEELS, TOES, foot_targets

TIMES_S = np.arange(30) / 30


def flags(text: str) -> Flags:
    """One letter a frame: 1 contact, 0 none, ? unknown; both feet alike."""
    touching = np.array([letter == "1" for letter in text])
    return Flags(np.stack([touching] * 2, axis=1), np.array([letter != "?" for letter in text]))


def still_feet(height_m: float = 0.03) -> np.ndarray:
    return np.tile([[0.0, 0.1, height_m], [0.0, -0.1, height_m]], (30, 1, 1))


def contacts(text: str, feet: np.ndarray | None = None, ground: float = 0.0) -> np.ndarray:
    feet = still_feet() if feet is None else feet
    heels = feet + np.array([-0.2, 0.0, 0.0])
    return foot_contacts(flags(text), feet, heels, np.full((30, 2), ground), TIMES_S)


def swinging_feet(height_m: float = 0.03) -> np.ndarray:
    """Still for ten frames, then a step forward of 0.8 m in ten frames, then still."""
    feet = still_feet(height_m)
    way = np.clip((np.arange(30) - 10) / 10, 0, 1)
    feet[:, :, 0] += 0.8 * way[:, None]
    feet[:, :, 2] += 0.1 * np.sin(np.pi * way)[:, None]
    return feet


def test_flicker_of_a_still_foot_is_put_right():
    assert contacts("111111111101111011111111111101").all()


def test_wrong_flags_in_the_middle_of_a_step_are_put_right():
    found = contacts("1" * 10 + "0001101000" + "1" * 10, swinging_feet())
    assert runs_of_true(found[:, 0])[0][1] <= 12 and runs_of_true(found[:, 0])[1][0] >= 18


def test_gaps_in_the_flags_of_a_still_foot_do_not_end_its_contact():
    found = contacts("0110010110" + "0" * 10 + "0110010110", swinging_feet())
    assert found[1:9].all() and found[21:29].all()
    assert not found[12:18].any()


def test_an_unknown_stretch_is_judged_by_motion():
    found = contacts("?" * 30, swinging_feet())
    assert found[:9].all() and found[21:].all()
    assert not found[12:18].any()


def test_a_fast_foot_is_not_in_contact_whatever_its_flag():
    feet = still_feet()
    feet[:, 0, 0] = 1.5 * TIMES_S
    found = contacts("1" * 30, feet)
    assert not found[:, 0].any()
    assert found[:, 1].all()


def test_a_still_foot_held_high_without_a_flag_is_not_in_contact():
    feet = still_feet()
    feet[:, 1, 2] = 0.4
    assert not contacts("0" * 30, feet)[:, 1].any()


def test_unknown_ground_does_not_forbid_contact():
    assert contacts("1" * 30, ground=np.nan).all()


def test_the_likeliest_course_changes_only_for_good_reason():
    assert likeliest_course(np.array([1.0, 1, -1, 1, 1]), change=3.0).all()
    course = likeliest_course(np.array([2.0, 2, 2, -3, -3, -3]), change=3.0)
    np.testing.assert_array_equal(course, [1, 1, 1, 0, 0, 0])


def test_contacts_are_numbered_and_swing_is_zero():
    mask = np.array([[1, 0], [1, 0], [0, 0], [1, 1], [0, 1]], bool)
    np.testing.assert_array_equal(contact_numbers(mask), [[1, 0], [1, 0], [0, 0], [2, 1], [0, 1]])


@pytest.mark.parametrize("kind", ["flat", "stairs", "jump_box"])
def test_true_contacts_survive_the_cleaning_and_most_wrong_ones_do_not(kind):
    someone, truth = person(kind), motion(kind).contacts
    toes, heels = someone.joints[:, TOES, :], someone.joints[:, HEELS, :]
    ground = terrain(kind).surface_at(toes.reshape(-1, 3)).reshape(truth.shape)
    found = foot_contacts(someone.flags, toes, heels, ground, someone.times_s)
    assert (found == truth).mean() > 0.96
    rng = np.random.default_rng(0)
    wrong = Flags(truth ^ (rng.random(truth.shape) < 0.15), rng.random(len(truth)) > 0.1)
    assert (foot_contacts(wrong, toes, heels, ground, someone.times_s) == truth).mean() > 0.93


def test_a_foot_in_contact_has_one_target_on_the_ground():
    climber = person("stairs")
    feet = foot_targets(climber.joints, motion("stairs").contacts, terrain("stairs"))
    heights = set()
    for foot in range(2):
        for start, end in runs_of_true(feet.contact[:, foot]):
            assert np.ptp(feet.position[start:end, foot], axis=0).max() == 0
            heights.add(round(float(feet.position[start, foot, 2]), 4))
            spot = np.median(climber.joints[start:end, TOES[foot], :2], axis=0)
            np.testing.assert_allclose(feet.position[start, foot, :2], spot, atol=1e-5)
    steps = sorted(heights)
    assert steps[0] == 0.0 and len(steps) >= 3
    rises = np.diff(steps)
    np.testing.assert_allclose(rises, rises[0], atol=1e-3)


def test_in_swing_targets_are_led_over_from_one_contact_s_correction_to_the_next():
    # The feet come down 6 cm over the ground; the first foot 5 cm ahead of its contact's median.
    feet, contact = swinging_feet(height_m=0.03 + 0.06), np.ones((30, 2), bool)
    contact[11:20] = False
    feet[10, 0, 0] += 0.05
    joints = np.zeros((30, 45, 3))
    joints[:, TOES], joints[:, HEELS] = feet, feet - [0.2, 0.0, 0.0]
    found = foot_targets(joints, contact, terrain("flat")).position
    correction = found - feet
    np.testing.assert_allclose(correction[10, 0], [-0.05, 0, -0.09], atol=1e-6)
    np.testing.assert_allclose(correction[20, 0], [0, 0, -0.09], atol=1e-6)
    led = np.linspace(correction[10], correction[20], 11)[1:-1]
    np.testing.assert_allclose(correction[11:20], led, atol=1e-6)


def test_before_the_first_contact_and_after_the_last_corrections_stay():
    feet, contact = swinging_feet(height_m=0.09), np.zeros((30, 2), bool)
    contact[10:20] = True
    joints = np.zeros((30, 45, 3))
    joints[:, TOES], joints[:, HEELS] = feet, feet - [0.2, 0.0, 0.0]
    correction = foot_targets(joints, contact, terrain("flat")).position - feet
    for row, rows in ((10, slice(0, 10)), (19, slice(20, 30))):
        np.testing.assert_allclose(correction[rows], np.tile(correction[row], (10, 1, 1)))


def test_a_person_who_floats_still_gets_targets_on_the_ground():
    walker = person("flat")
    lifted = walker.joints + np.array([0, 0, 0.06], np.float32)
    feet = foot_targets(lifted, motion("flat").contacts, terrain("flat"))
    np.testing.assert_allclose(feet.position[feet.contact][:, 2], 0.0, atol=1e-6)


def test_without_ground_feet_stay_at_the_person_s_height():
    walker = person("flat")
    feet = foot_targets(walker.joints, motion("flat").contacts, no_terrain())
    assert np.isnan(feet.ground_z).all()
    assert np.isfinite(feet.position).all()
    assert np.abs(feet.position[feet.contact][:, 2]).max() < 0.03


def test_a_heel_over_an_edge_leaves_the_foot_flat_on_the_step():
    walker = person("stairs")
    joints = walker.joints.copy()
    first = terrain("stairs")
    # Stand still with the toes 3 cm behind the first riser's edge: the heel hangs over the floor.
    edge = 0.9
    joints[:] = joints[-1]
    for toe, heel in zip(TOES, HEELS, strict=True):
        joints[:, toe, 0], joints[:, heel, 0] = edge + 0.03, edge - 0.16
        joints[:, toe, 2] = joints[:, heel, 2] = 0.02 + first.surface_below(
            np.array([[edge + 0.05, 0.0, 1.0]])
        )
        joints[:, toe, 1] = joints[:, heel, 1] = 0.0
    feet = foot_targets(joints, np.ones((len(joints), 2), bool), first)
    assert np.ptp(feet.ground_z) == 0
    assert feet.ground_z[0, 0, 0] > 0.1


@pytest.mark.parametrize("heel_lower_m", [0.0, 0.03])
def test_a_foot_in_contact_takes_the_slope_of_the_ground_only_if_the_person_s_foot_has_it(
    heel_lower_m: float,
):
    # A ramp that rises by 3 cm over a foot's length of 20 cm.
    corners = np.array([[x, y, 0.15 * x] for x in (-1.0, 1.0) for y in (-1.0, 1.0)])
    ramp = Terrain(corners, np.array([[0, 2, 1], [1, 2, 3]]))
    joints = np.zeros((10, 45, 3))
    joints[:, TOES] = [[0.2, 0.1, 0.05], [0.2, -0.1, 0.05]]
    joints[:, HEELS] = joints[:, TOES] - [0.2, 0.0, heel_lower_m]
    feet = foot_targets(joints, np.ones((10, 2), bool), ramp)
    toe, heel = feet.ground_z[0, 0]
    assert toe - heel == pytest.approx(heel_lower_m, abs=1e-6)
