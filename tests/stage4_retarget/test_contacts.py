"""Which frames count as planted, and where the feet then go."""

import numpy as np

from stages.stage4_retarget.contacts import Flags, planted, stance_numbers, stretches, voted
from stages.stage4_retarget.footing import HEELS, TOES, footing
from tests.stage4_retarget.clips import motion, no_terrain, person, terrain

TIMES_S = np.arange(30) / 30


def flags(text: str) -> Flags:
    """One letter a frame: 1 contact, 0 none, ? unknown; both feet alike."""
    touching = np.array([letter == "1" for letter in text])
    return Flags(np.stack([touching] * 2, axis=1), np.array([letter != "?" for letter in text]))


def still_feet(height_m: float = 0.03) -> np.ndarray:
    return np.tile([[0.0, 0.1, height_m], [0.0, -0.1, height_m]], (30, 1, 1))


def test_flicker_is_voted_away():
    text = "000000000011110111111000000000"
    assert stretches(voted(flags(text), TIMES_S)[:, 0]) == [(10, 21)]
    assert not voted(flags("0" * 14 + "1" + "0" * 15), TIMES_S).any()


def test_an_unknown_frame_takes_its_neighbours_side():
    text = "1" * 10 + "?" * 3 + "1" * 5 + "0" * 12
    assert stretches(voted(flags(text), TIMES_S)[:, 0]) == [(0, 18)]


def test_frames_without_any_known_neighbour_are_no_contact():
    assert not voted(flags("?" * 30), TIMES_S).any()


def test_a_fast_foot_is_not_planted_whatever_its_flag():
    feet = still_feet()
    feet[:, 0, 0] = 1.5 * TIMES_S
    stands = planted(flags("1" * 30), feet, np.zeros((30, 2)), TIMES_S)
    assert not stands[:, 0].any()
    assert stands[:, 1].all()


def test_a_foot_high_above_the_ground_is_not_planted():
    feet = still_feet()
    feet[:, 1, 2] = 0.4
    stands = planted(flags("1" * 30), feet, np.zeros((30, 2)), TIMES_S)
    assert stands[:, 0].all()
    assert not stands[:, 1].any()


def test_unknown_ground_does_not_forbid_standing():
    stands = planted(flags("1" * 30), still_feet(), np.full((30, 2), np.nan), TIMES_S)
    assert stands.all()


def test_stances_are_numbered_and_flight_is_zero():
    mask = np.array([[1, 0], [1, 0], [0, 0], [1, 1], [0, 1]], bool)
    np.testing.assert_array_equal(stance_numbers(mask), [[1, 0], [1, 0], [0, 0], [2, 1], [0, 1]])


def test_true_contacts_of_a_walk_survive_the_cleaning():
    walker = person("flat")
    ground = np.zeros((len(walker.joints), 2))
    stands = planted(walker.flags, walker.joints[:, TOES, :], ground, walker.times_s)
    assert (stands == motion("flat").contacts).mean() > 0.98


def test_a_planted_foot_has_one_target_on_the_ground():
    climber = person("stairs")
    feet = footing(climber.joints, motion("stairs").contacts, terrain("stairs"))
    heights = set()
    for foot in range(2):
        for start, end in stretches(feet.planted[:, foot]):
            assert np.ptp(feet.target[start:end, foot], axis=0).max() == 0
            heights.add(round(float(feet.target[start, foot, 2]), 4))
            spot = np.median(climber.joints[start:end, TOES[foot], :2], axis=0)
            np.testing.assert_allclose(feet.target[start, foot, :2], spot, atol=1e-5)
    steps = sorted(heights)
    assert steps[0] == 0.0 and len(steps) >= 3
    rises = np.diff(steps)
    np.testing.assert_allclose(rises, rises[0], atol=1e-3)


def test_targets_are_continuous_from_stance_to_flight():
    climber = person("stairs")
    feet = footing(climber.joints, motion("stairs").contacts, terrain("stairs"))
    person_steps = np.abs(np.diff(climber.joints[:, TOES, :], axis=0)).max()
    assert np.abs(np.diff(feet.target, axis=0)).max() < person_steps + 0.03


def test_a_person_who_floats_still_gets_targets_on_the_ground():
    walker = person("flat")
    lifted = walker.joints + np.array([0, 0, 0.06], np.float32)
    feet = footing(lifted, motion("flat").contacts, terrain("flat"))
    np.testing.assert_allclose(feet.target[feet.planted][:, 2], 0.0, atol=1e-6)


def test_without_ground_feet_stay_at_the_person_s_height():
    walker = person("flat")
    feet = footing(walker.joints, motion("flat").contacts, no_terrain())
    assert np.isnan(feet.ground_z).all()
    assert np.isfinite(feet.target).all()
    assert np.abs(feet.target[feet.planted][:, 2]).max() < 0.03


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
    feet = footing(joints, np.ones((len(joints), 2), bool), first)
    assert np.ptp(feet.ground_z) == 0
    assert feet.ground_z[0, 0, 0] > 0.1
