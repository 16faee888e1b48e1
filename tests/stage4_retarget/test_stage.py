"""The command reads what stage 3 wrote and writes what the simulator reads."""

import json
from dataclasses import replace

import h5py
import numpy as np
import pytest
import yourdfpy
from click.testing import CliRunner
from scipy.spatial.transform import Rotation

from bench.robustness.clips import person
from stages.artifacts import masks
from stages.artifacts.robot_motion import MULTI_FILE, SINGLE_FILE, read_robot_motion
from stages.robot.model import load_g1
from stages.stage4_retarget.stage import main
from stages.stage4_retarget.weights import CostWeights
from tests.robot.test_g1_file import FILE, JOINTS, TRACKED
from tests.stage4_retarget.clips import clip_of, write_clip

SHORT_S = 1.0


def walker():
    return person("flat", SHORT_S)


def other():
    """Somebody a little to the side."""
    return replace(walker(), joints=walker().joints + np.array([0, 0.3, 0], np.float32))


def run_on(root, *flags):
    arguments = [
        "--postprocessed-base-dir", str(root / "output_calib_mesh"),
        "--contact-base-dir", str(root / "input_contacts"), *flags,
    ]  # fmt: skip
    return CliRunner().invoke(main, arguments)


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """One person, not seen in rows 10 to 12, at 25 frames a second."""
    root = tmp_path_factory.mktemp("data")
    folder = write_clip(root, {3: walker()}, fps=25.0, skip={3: [10, 11, 12]})
    result = run_on(root)
    assert result.exit_code == 0, result.output
    return root, folder, result


def test_the_file_has_the_contract_s_entries(finished):
    _, folder, _ = finished
    frames = len(walker().joints)
    with h5py.File(folder / SINGLE_FILE) as file:
        links = len(file.attrs["link_names"])
        assert file["joints"].shape == (frames, 23) and file["joints"].dtype == np.float32
        for name, shape in {
            "root_pos": (frames, 3), "root_quat": (frames, 4),
            "link_pos": (frames, links, 3), "link_quat": (frames, links, 4),
        }.items():  # fmt: skip
            assert file[name].shape == shape and file[name].dtype == np.float64
        for foot in ("left_foot", "right_foot"):
            assert file["contacts"][foot].shape == (frames,)
            assert file["contacts"][foot].dtype == bool
        for name, kind in {"frame_numbers": np.int32, "times_s": float, "seen": bool}.items():
            assert file[name].shape == (frames,) and file[name].dtype == kind
        for slash in ("", "/"):
            assert file.attrs[f"{slash}joint_names"].tolist() == JOINTS
            assert set(TRACKED) <= set(file.attrs[f"{slash}link_names"].tolist())
            assert file.attrs[f"{slash}fps"] == 25.0


def test_link_poses_are_the_forward_kinematics_of_the_stored_joints(finished):
    _, folder, _ = finished
    urdf = yourdfpy.URDF.load(str(FILE))
    with h5py.File(folder / SINGLE_FILE) as file:
        names, joints = file.attrs["/link_names"].tolist(), file["joints"][:]
        R_root = Rotation.from_quat(file["root_quat"][:]).as_matrix()
        for t in range(0, len(joints), 5):
            urdf.update_cfg(joints[t].astype(float))
            for i, name in enumerate(names):
                T = urdf.get_transform(name, "pelvis")
                place = R_root[t] @ T[:3, 3] + file["root_pos"][t]
                np.testing.assert_allclose(file["link_pos"][t, i], place, atol=1e-5)
                R = Rotation.from_quat(file["link_quat"][t, i]).as_matrix()
                np.testing.assert_allclose(R, R_root[t] @ T[:3, :3], atol=1e-5)


def test_stored_joints_are_within_the_limits(finished):
    _, folder, _ = finished
    robot = load_g1()
    with h5py.File(folder / SINGLE_FILE) as file:
        joints = file["joints"][:].astype(float)
    assert (joints >= robot.lower).all() and (joints <= robot.upper).all()


def test_quaternions_have_unit_length(finished):
    _, folder, _ = finished
    with h5py.File(folder / SINGLE_FILE) as file:
        for quaternions in (file["root_quat"][:], file["link_quat"][:]):
            np.testing.assert_allclose(np.linalg.norm(quaternions, axis=-1), 1, atol=1e-9)


def test_every_row_says_which_frame_of_the_video_it_is_and_whether_the_person_was_seen(finished):
    _, folder, _ = finished
    with h5py.File(folder / SINGLE_FILE) as file:
        frames = np.arange(1, len(walker().joints) + 1)
        np.testing.assert_array_equal(file["frame_numbers"][:], frames)
        np.testing.assert_allclose(file["times_s"][:], (frames - 1) / 25, atol=1e-12)
        assert np.flatnonzero(~file["seen"][:]).tolist() == [10, 11, 12]
        assert (file.attrs["person"], file.attrs["part"], file.attrs["parts"]) == (3, 1, 1)


def test_contacts_stay_with_their_frames_when_the_person_is_missing_from_some(finished):
    root, _, _ = finished
    flags = clip_of(root).people[3][0].motion.flags
    kept = [row for row in range(len(walker().joints)) if row not in (10, 11, 12)]
    np.testing.assert_array_equal(flags.touching[kept], walker().flags.touching[kept])
    assert np.flatnonzero(~flags.known).tolist() == [10, 11, 12]


def test_residuals_and_quality_go_into_the_ledger(finished):
    root, _, _ = finished
    line = json.loads((root / "runs.jsonl").read_text().splitlines()[-1])
    details = json.dumps(line)
    for name in ("foot skating", "limb vectors", "foot_sliding_m_s", "clipped_rad"):
        assert name in details


def test_a_second_run_skips(finished):
    root, _, _ = finished
    result = run_on(root)
    assert result.exit_code == 0
    assert "skip" in result.output


def test_one_missing_contact_file_leaves_only_its_frame_unknown(tmp_path):
    write_clip(tmp_path, {1: walker()})
    (tmp_path / "input_contacts/walk/cam01/00005.pkl").unlink()
    flags = clip_of(tmp_path).people[1][0].motion.flags
    assert np.flatnonzero(~flags.known).tolist() == [4]


def test_the_first_of_the_ranking_is_in_the_file_of_one_person(tmp_path):
    folder = write_clip(tmp_path, {1: walker(), 2: other()}, by_area=[2, 1])
    assert run_on(tmp_path).exit_code == 0
    motion = read_robot_motion(folder / SINGLE_FILE)
    assert motion.metadata["person"] == 2
    aside = motion.root_pos[:, 1].mean() - walker().joints[:, 0, 1].mean()
    assert aside == pytest.approx(0.3, abs=0.05)


def test_without_a_ranking_in_the_file_that_of_stage_0_counts_and_it_says_so(tmp_path):
    write_clip(tmp_path, {2: walker(), 10: other()})
    clip = clip_of(tmp_path)
    assert list(clip.people) == [2, 10]
    assert "people are not ranked: the longest motion comes first" in clip.remarks
    box = {
        2: masks.PersonLabel(2, (0, 0, 9, 9), 1.0),
        10: masks.PersonLabel(10, (0, 0, 9, 99), 1.0),
    }
    masks.write_summary(tmp_path / "input_masks/walk/cam01", masks.summarise([box]))
    clip = clip_of(tmp_path)
    assert list(clip.people) == [10, 2]
    assert any("people are ranked by meta_data.json" in said for said in clip.remarks)


def test_a_known_ranking_or_a_single_person_needs_no_remark(tmp_path):
    write_clip(tmp_path, {2: walker(), 10: other()}, by_area=[10, 2])
    assert list(clip_of(tmp_path).people) == [10, 2] and clip_of(tmp_path).remarks == ()
    write_clip(tmp_path / "alone", {2: walker()})
    assert clip_of(tmp_path / "alone").remarks == ()


def test_several_people_share_one_file_and_one_world(tmp_path):
    folder = write_clip(tmp_path, {2: walker(), 10: other()}, by_area=[10, 2])
    result = run_on(tmp_path, "--multihuman", "--top-k", "2")
    assert result.exit_code == 0, result.output
    with h5py.File(folder / MULTI_FILE) as file:
        assert set(file["persons"]) == {"2", "10"}
        assert file.attrs["robot_name"] == "g1"
        assert file.attrs["people_by_area"].tolist() == [10, 2]
        apart = file["persons/10/root_pos"][:] - file["persons/2/root_pos"][:]
        np.testing.assert_allclose(apart.mean(axis=0), [0, 0.3, 0], atol=0.02)
        with h5py.File(folder / SINGLE_FILE) as single:
            np.testing.assert_array_equal(single["joints"][:], file["persons/10/joints"][:])


def test_top_k_keeps_the_largest(tmp_path):
    folder = write_clip(tmp_path, {2: walker(), 10: other()}, by_area=[10, 2])
    assert run_on(tmp_path, "--multihuman", "--top-k", "1").exit_code == 0
    with h5py.File(folder / MULTI_FILE) as file:
        assert set(file["persons"]) == {"10"}


def test_a_clip_without_mesh_or_contacts_is_done_and_says_what_was_missing(tmp_path):
    folder = write_clip(tmp_path, {1: walker()}, mesh_of=None)
    for path in (tmp_path / "input_contacts/walk/cam01").iterdir():
        path.unlink()
    result = run_on(tmp_path)
    assert result.exit_code == 0, result.output
    assert (folder / SINGLE_FILE).exists()
    assert "background_mesh.obj is missing" in result.output
    assert "contacts unknown in" in result.output


def test_one_bad_clip_does_not_stop_the_others(tmp_path):
    bad = write_clip(tmp_path, {1: replace(walker(), joints=walker().joints * np.nan)}, "bad")
    good = write_clip(tmp_path, {1: walker()}, "good")
    result = run_on(tmp_path)
    assert result.exit_code == 1
    assert "no numbers" in result.output
    assert (good / SINGLE_FILE).exists() and not (bad / SINGLE_FILE).exists()


def test_a_missing_earlier_stage_is_named(tmp_path):
    folder = write_clip(tmp_path, {1: walker()})
    (folder / "gravity_calibrated_megahunter.h5").unlink()
    result = run_on(tmp_path)
    assert result.exit_code == 1
    assert "stage3-postprocess" in result.output


def test_every_weight_is_a_flag():
    text = CliRunner().invoke(main, ["--help"]).output
    for name in CostWeights.__dataclass_fields__:
        assert "--" + name.replace("_", "-") in text
