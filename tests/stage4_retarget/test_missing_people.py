"""What the robot's files are where people are missing from frames of the video."""

from dataclasses import replace

import h5py
import numpy as np
import pytest
from click.testing import CliRunner

from bench.robustness.clips import person
from stages.artifacts.robot_motion import (
    MULTI_FILE,
    SINGLE_FILE,
    RobotMotion,
    part_file,
    read_robot_motion,
    read_robot_motions,
    read_robot_parts,
)
from stages.robot.model import load_g1
from stages.stage4_retarget.shared_timeline import on_one_timeline
from stages.stage4_retarget.stage import main
from tests.stage4_retarget.clips import write_clip

FPS = 30.0


def run_on(root, *flags) -> str:
    result = CliRunner().invoke(main, [*flags], env={"MIMICMILL_DATA": str(root)})
    assert result.exit_code == 0, result.output
    return " ".join(result.output.split())


def joint_speeds(motion: RobotMotion) -> np.ndarray:
    return np.abs(np.diff(motion.joints, axis=0)) * motion.fps


def root_speeds(motion: RobotMotion) -> np.ndarray:
    return np.linalg.norm(np.diff(motion.root_pos, axis=0), axis=1) * motion.fps


def assert_playable(motion: RobotMotion) -> None:
    """Uniform in time, within what the joints can do, and no faster than somebody who walks."""
    np.testing.assert_allclose(np.diff(motion.times_s), 1 / motion.fps)
    np.testing.assert_allclose(motion.times_s, (motion.frame_numbers - 1) / FPS)
    assert (joint_speeds(motion) <= load_g1().velocity).all()
    assert joint_speeds(motion).max() < 10
    assert root_speeds(motion).max() < 2


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> RobotMotion:
    """Of a person who is seen in all frames."""
    root = tmp_path_factory.mktemp("whole")
    folder = write_clip(root, {1: person("flat")})
    run_on(root)
    return read_robot_motion(folder / SINGLE_FILE)


def test_a_third_of_a_second_without_the_person_is_solved_through(tmp_path, whole):
    folder = write_clip(tmp_path, {1: person("flat")}, skip={1: range(40, 50)})
    said = run_on(tmp_path)
    assert "not seen in 10 of" in said and "contacts unknown" not in said
    motion = read_robot_motion(folder / SINGLE_FILE)
    assert_playable(motion)
    np.testing.assert_array_equal(motion.frame_numbers, whole.frame_numbers)
    assert np.flatnonzero(~motion.seen).tolist() == list(range(40, 50))
    assert np.linalg.norm(motion.root_pos - whole.root_pos, axis=1).max() < 0.05
    assert not list(folder.glob("*_part*.h5"))


def test_two_thirds_of_a_second_without_the_person_split_the_motion(tmp_path, whole):
    folder = write_clip(tmp_path, {1: person("flat")}, skip={1: range(30, 50)})
    said = run_on(tmp_path)
    assert "person 1 is missing for over 0.5 s: 2 motions" in said
    last = len(person("flat").joints)
    longest = read_robot_motion(folder / SINGLE_FILE)
    other = read_robot_motion(folder / part_file(1))
    for motion, part, frames in ((other, 1, (1, 30)), (longest, 2, (51, last))):
        assert_playable(motion)
        assert motion.seen.all()
        assert tuple(motion.frame_numbers[[0, -1]]) == frames
        assert (motion.metadata["part"], motion.metadata["parts"]) == (part, 2)
        assert motion.metadata["frame_ranges"].tolist() == [[1, 30], [51, last]]
        rows = motion.frame_numbers - 1
        assert np.linalg.norm(motion.root_pos - whole.root_pos[rows], axis=1).max() < 0.05
    assert [part.frame_numbers[0] for part in read_robot_parts(folder)] == [1, 51]


def test_parts_of_an_earlier_run_do_not_stay(tmp_path):
    walker = person("flat")
    folder = write_clip(tmp_path, {1: walker}, skip={1: range(30, 50)})
    run_on(tmp_path)
    assert (folder / part_file(1)).exists()
    write_clip(tmp_path, {1: walker}, skip={1: range(30, 40)})
    run_on(tmp_path)
    assert not list(folder.glob("*_part*.h5"))


@pytest.fixture(scope="module")
def at_different_times(tmp_path_factory):
    """Person 2 leaves after row 39; person 7 is there from row 30, and away for rows 50 to 69."""
    root = tmp_path_factory.mktemp("two")
    walker = person("flat")
    aside = replace(walker, joints=walker.joints + np.array([0, 1, 0], np.float32))
    last = len(walker.joints)
    skip = {2: range(40, last), 7: [*range(30), *range(50, 70)]}
    folder = write_clip(root, {2: walker, 7: aside}, skip=skip, by_area=[7, 2])
    run_on(root, "--multihuman")
    return folder, last


def test_a_row_is_one_moment_for_all_people(at_different_times):
    folder, last = at_different_times
    people = read_robot_motions(folder / MULTI_FILE)
    assert list(people) == [7, 2]
    for motion in people.values():
        np.testing.assert_array_equal(motion.frame_numbers, np.arange(1, last + 1))
        np.testing.assert_allclose(motion.times_s, np.arange(last) / FPS)
    both = people[2].present & people[7].present
    assert np.flatnonzero(both).tolist() == list(range(30, 40))
    apart = (people[7].root_pos - people[2].root_pos)[both]
    np.testing.assert_allclose(apart, np.tile([0, 1, 0], (len(apart), 1)), atol=0.06)


def test_people_are_present_where_they_have_a_motion_and_keep_still_else(at_different_times):
    folder, last = at_different_times
    people = read_robot_motions(folder / MULTI_FILE)
    present = {2: range(40), 7: [*range(30, 50), *range(70, last)]}
    for person_id, motion in people.items():
        assert np.flatnonzero(motion.present).tolist() == list(present[person_id])
        away = ~motion.present
        assert not (motion.seen | motion.left_foot | motion.right_foot)[away].any()
        for name in ("joints", "root_pos", "root_quat_xyzw", "link_pos", "link_quat_xyzw"):
            assert np.isfinite(getattr(motion, name)).all()
    # Of the gap's rows 50 to 69 the first half is nearer to what was before.
    np.testing.assert_array_equal(people[7].root_pos[59], people[7].root_pos[49])
    np.testing.assert_array_equal(people[7].root_pos[60], people[7].root_pos[70])
    np.testing.assert_array_equal(people[7].root_pos[0], people[7].root_pos[30])
    np.testing.assert_array_equal(people[2].joints[last - 1], people[2].joints[39])


def test_the_sign_of_quaternions_does_not_flip_between_parts(whole):
    def part(start: int, end: int, sign: float = 1.0) -> RobotMotion:
        arrays = {name: value for name, value in vars(whole).items() if hasattr(value, "shape")}
        rows = {name: value[start:end] for name, value in arrays.items()}
        rows |= {name: sign * rows[name] for name in ("root_quat_xyzw", "link_quat_xyzw")}
        return replace(whole, **rows)

    together = on_one_timeline({1: [part(0, 30), part(60, 90, sign=-1.0)]})[1]
    for quaternions in (together.root_quat_xyzw, together.link_quat_xyzw):
        assert (np.sum(quaternions[1:] * quaternions[:-1], axis=-1) > 0).all()


def test_the_file_of_one_person_is_the_first_ranked_one_s_longest_part(at_different_times):
    folder, last = at_different_times
    single = read_robot_motion(folder / SINGLE_FILE)
    assert single.metadata["person"] == 7
    assert tuple(single.frame_numbers[[0, -1]]) == (71, last)
    together = read_robot_motions(folder / MULTI_FILE)[7]
    np.testing.assert_array_equal(single.joints, together.joints[single.frame_numbers - 1])


def test_a_file_of_several_people_says_their_times_once(at_different_times):
    folder, _ = at_different_times
    with h5py.File(folder / MULTI_FILE) as file:
        assert file["frame_numbers"].dtype == np.int32 and file["times_s"].dtype == np.float64
        for group in file["persons"].values():
            assert group["seen"].dtype == group["present"].dtype == bool
            assert "frame_numbers" not in group


def test_somebody_who_is_never_there_for_two_frames_is_passed_over(tmp_path):
    walker = person("flat", 1.0)
    few = {1: [row for row in range(len(walker.joints)) if row not in (3, 25)]}
    folder = write_clip(tmp_path, {1: walker, 2: walker}, skip=few, by_area=[1, 2])
    assert "person 1: single frames left out: 4, 26" in run_on(tmp_path)
    assert read_robot_motion(folder / SINGLE_FILE).metadata["person"] == 2


def test_a_clip_without_anybody_for_two_frames_says_what_to_do(tmp_path):
    walker = person("flat", 1.0)
    write_clip(tmp_path, {1: walker}, skip={1: range(1, len(walker.joints))})
    result = CliRunner().invoke(main, env={"MIMICMILL_DATA": str(tmp_path)})
    assert result.exit_code == 1
    assert "nobody who is there in 2 frames" in " ".join(result.output.split())


def test_every_second_frame_of_the_world_gives_rows_at_half_the_rate(tmp_path):
    folder = write_clip(tmp_path, {1: person("flat", 2.0)}, skip={1: [20, 22]}, stride=2)
    run_on(tmp_path)
    motion = read_robot_motion(folder / SINGLE_FILE)
    assert motion.fps == FPS / 2
    assert_playable(motion)
    assert set(np.diff(motion.frame_numbers)) == {2}
    assert np.flatnonzero(~motion.seen).tolist() == [10, 11]
