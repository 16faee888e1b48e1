"""World, people and robot files: the contract's bytes out, every known spelling in."""

import errno
import fcntl
import os
import resource
import signal
import subprocess
import sys
from dataclasses import replace

import h5py
import numpy as np
import pytest

from stages.artifacts import calibrated_keypoints, people_and_world, robot_motion, world
from stages.artifacts.errors import ArtifactError
from stages.artifacts.h5tree import opened, rounded

rng = np.random.default_rng(0)
H, W, T = 24, 32, 3
NAMES = [f"{index + 1:05d}" for index in range(T)]


def frame(name: str) -> world.WorldFrame:
    K = np.array([[30.0, 0, 16], [0, 30, 12], [0, 0, 1]], np.float32)
    pose = np.eye(4, dtype=np.float32)
    pose[:3, 3] = rng.normal(size=3)
    depth = rng.uniform(1, 5, (H, W)).astype(np.float32)
    confidence = (rng.random((H, W)) > 0.2).astype(np.float32)
    return world.WorldFrame(
        name, rng.integers(0, 255, (H, W, 3), np.uint8), K, pose, depth, confidence,
        rng.random((H, W)) > 0.9, np.array([[1.25, 0, 0.1], [0, 1.25, 0.1]]),
    )  # fmt: skip


@pytest.fixture
def world_path(tmp_path):
    path = tmp_path / "world.h5"
    world.write_world(path, (frame(name) for name in NAMES), method="sfm")
    return path


def person(count: int = T) -> people_and_world.PersonMotion:
    return people_and_world.PersonMotion(
        NAMES[:count],
        np.tile(np.eye(3, dtype=np.float32), (count, 23, 1, 1)),
        np.tile(np.eye(3, dtype=np.float32), (count, 1, 1)),
        rng.normal(size=(count, 3)).astype(np.float32),
        np.zeros((count, 10), np.float32),
    )


def test_a_world_file_has_the_contracts_types(world_path):
    with h5py.File(world_path) as file:
        entry = file["monst3r_ga_output/00002"]
        assert entry["cam2world"].dtype == entry["intrinsic"].dtype == np.float32
        assert entry["rgbimg"].dtype == np.uint8
        assert entry["dynamic_msk"].dtype == bool
        assert entry["affine_matrix"].shape == (2, 3)
        assert entry["pts3d"].shape == (H, W, 3)
        assert not [name for name in file.attrs if name.startswith("/")]
        file.visititems(lambda _, item: item.shape[0] if isinstance(item, h5py.Dataset) else None)


def test_points_project_back_to_their_pixels_and_depths(world_path):
    with world.opened_world(world_path) as (frames, metadata):
        assert metadata["method"] == "sfm"
        view = frames["00001"]
        T_camera_world = np.linalg.inv(view.T_world_camera.astype(np.float64))
        local = view.points @ T_camera_world[:3, :3].T + T_camera_world[:3, 3]
        pixels = local @ view.intrinsic.T
        y, x = np.mgrid[:H, :W]
        assert np.allclose(pixels[..., 0] / pixels[..., 2], x, atol=1e-3)
        assert np.allclose(pixels[..., 1] / pixels[..., 2], y, atol=1e-3)
        assert np.allclose(local[..., 2], view.depth, atol=1e-4)


def test_rounding_keeps_sixteen_bits_and_what_needs_fewer():
    numbers = np.random.default_rng(0).normal(size=1000).astype(np.float32)
    kept = rounded(numbers)
    assert (np.abs(kept - numbers) <= np.abs(numbers) * 2.0**-16).all()
    assert np.array_equal(rounded(kept), kept)
    few = np.array([0.0, 1.0, -0.75, 4096.5], np.float32)
    assert np.array_equal(rounded(few), few)


def test_float_images_of_other_methods_are_read_as_bytes(world_path):
    with h5py.File(world_path, "r+") as file:
        entry = file["monst3r_ga_output/00001"]
        image = entry["rgbimg"][:]
        del entry["rgbimg"]
        entry["rgbimg"] = image.astype(np.float32) / 255
    with world.opened_world(world_path) as (frames, _):
        assert np.array_equal(frames["00001"].rgb, image)
        assert frames["00001"].motion_probability is None


def test_a_missing_entry_names_the_file(world_path):
    with h5py.File(world_path, "r+") as file:
        del file["monst3r_ga_output"]
    with pytest.raises(ArtifactError, match=r"world\.h5"), world.opened_world(world_path):
        pass


def write_people(path, world_path, **kwargs):
    with world.opened_world(world_path) as (frames, _):
        people_and_world.write_people_and_world(
            path, frames, {1: person(), 10: person(2)}, lambda p: 2 * p, lambda T: T, **kwargs
        )


def test_a_stage_2_file_lists_frames_in_root_attributes_with_empty_groups(tmp_path, world_path):
    path = tmp_path / "m.h5"
    write_people(path, world_path, scale=2.0)
    with h5py.File(path) as file:
        assert list(file["person_frame_info_list"]) == []
        names = file.attrs["/person_frame_info_list/1"]
        assert names.shape == (T, 1)
        assert isinstance(names[0, 0], str)
        assert file["our_pred_humans_smplx_params/1/root_transl"].shape == (T, 1, 3)
        assert file["our_pred_humans_smplx_params/1/global_orient"].shape == (T, 1, 3, 3)
        with h5py.File(world_path) as source:
            before = source["monst3r_ga_output/00001"]
            after = file["our_pred_world_cameras_and_structure/00001"]
            assert np.allclose(after["pts3d"][:], 2 * before["pts3d"][:])
            assert np.array_equal(after["depths"][:], before["depths"][:])


@pytest.mark.parametrize("frames_as_dataset", [False, True])
def test_people_come_back_from_either_form_of_the_frame_list(
    tmp_path, world_path, frames_as_dataset
):
    path = tmp_path / "m.h5"
    write_people(path, world_path, frames_as_dataset=frames_as_dataset)
    with people_and_world.opened_people_and_world(path) as file:
        assert list(file.people) == [1, 10]
        assert file.people[10].frames == NAMES[:2]
        assert file.people[1].R_world_root.shape == (T, 3, 3)


def as_the_original_loads(root: h5py.File, group: h5py.Group) -> dict:
    """Its dictionary of a group: data sets, and each attribute of the root below the group."""
    found = {
        name: as_the_original_loads(root, item) if isinstance(item, h5py.Group) else item[:]
        for name, item in group.items()
    }
    below = [name for name in root.attrs if name.startswith(group.name)]
    return found | {name.removeprefix(group.name).strip("/"): root.attrs[name] for name in below}


def test_ten_minutes_of_a_person_are_written_and_read_here_and_by_the_original(
    tmp_path, world_path
):
    count, path = 20_000, tmp_path / "m.h5"
    names = [f"{number + 1:05d}" for number in range(count)]
    still = person(1)
    arrays = ("body_pose", "R_world_root", "root_transl", "betas")
    long = {name: getattr(still, name).repeat(count, axis=0) for name in arrays}
    with world.opened_world(world_path) as (frames, _):
        people = {1: people_and_world.PersonMotion(names, **long)}
        people_and_world.write_people_and_world(path, frames, people, lambda p: p, lambda T: T)
    with people_and_world.opened_people_and_world(path) as found:
        assert found.people[1].frames == names
    with h5py.File(path) as file:
        loaded = as_the_original_loads(file, file)
    assert loaded["person_frame_info_list"]["1"].astype(str).ravel().tolist() == names
    assert len(loaded["our_pred_humans_smplx_params"]["1"]["root_transl"]) == count


def test_calibrated_keypoints_come_back(tmp_path):
    record = calibrated_keypoints.CalibratedKeypoints(
        {2: calibrated_keypoints.PersonJoints(rng.random((T, 45, 3)), np.stack([np.eye(3)] * T))},
        np.eye(3), [f"j{i}" for i in range(45)], {"units": "m"},
    )  # fmt: skip
    path = tmp_path / "k.h5"
    calibrated_keypoints.write_calibrated_keypoints(path, record)
    back = calibrated_keypoints.read_calibrated_keypoints(path)
    assert back.joint_names == record.joint_names
    assert np.allclose(back.people[2].joints, record.people[2].joints)
    with h5py.File(path) as file:
        assert file["root_orient/2"].shape == (T, 1, 3, 3)
        assert file["world_rotation"].dtype == np.float32


def robot(first: int = 1) -> robot_motion.RobotMotion:
    numbers = np.arange(first, first + T, dtype=np.int32)
    return robot_motion.RobotMotion(
        25.0, ["a_joint", "b_joint"], ["pelvis", "foot"],
        rng.random((T, 2)).astype(np.float32), rng.random((T, 3)), rng.random((T, 4)),
        rng.random((T, 2, 3)), rng.random((T, 2, 4)),
        np.array([True, False, True]), np.array([False, False, True]),
        numbers, (numbers - 1) / 25, np.array([True, False, True]), np.array([True, True, False]),
        {"method": "x"},
    )  # fmt: skip


def test_a_robot_file_has_both_spellings_that_its_readers_want(tmp_path):
    path = tmp_path / "r.h5"
    robot_motion.write_robot_motion(path, robot())
    with h5py.File(path) as file:
        for name in ("joint_names", "link_names"):
            assert file.attrs[name].tolist() == file.attrs[f"/{name}"].tolist()
            assert isinstance(file.attrs[f"/{name}"].tolist()[0], str)
        assert file.attrs["fps"] == file.attrs["/fps"] == 25.0
        assert file["contacts/left_foot"].dtype == bool
        assert file["root_quat"].shape == (T, 4)


def test_rows_of_a_robot_file_are_frames_of_the_video(tmp_path):
    robot_motion.write_robot_motion(tmp_path / "r.h5", robot(first=7))
    back = robot_motion.read_robot_motion(tmp_path / "r.h5")
    assert back.frame_numbers.tolist() == [7, 8, 9] and back.frame_numbers.dtype == np.int32
    np.testing.assert_allclose(back.times_s, [6 / 25, 7 / 25, 8 / 25])
    assert back.seen.tolist() == [True, False, True]
    assert back.present.all()


def test_a_robot_file_of_the_original_has_frames_from_1_all_seen(tmp_path):
    path = tmp_path / "r.h5"
    robot_motion.write_robot_motion(path, robot(first=7))
    with h5py.File(path, "r+") as file:
        for name in ("frame_numbers", "times_s", "seen"):
            del file[name]
    back = robot_motion.read_robot_motion(path)
    assert back.frame_numbers.tolist() == [1, 2, 3]
    np.testing.assert_allclose(back.times_s, [0, 1 / 25, 2 / 25])
    assert back.seen.all() and back.present.all()


def cut(motion: robot_motion.RobotMotion, rows: int) -> robot_motion.RobotMotion:
    """Its first rows."""
    arrays = {name: value for name, value in vars(motion).items() if isinstance(value, np.ndarray)}
    return replace(motion, **{name: array[:rows] for name, array in arrays.items()})


def test_the_longest_part_is_the_robot_file_and_each_says_which_part_it_is(tmp_path):
    first, longer = cut(robot(), 2), robot(first=11)
    robot_motion.write_robot_parts(tmp_path, [first, longer, robot(first=31)])
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "retarget_poses_g1.h5", "retarget_poses_g1_part1.h5", "retarget_poses_g1_part3.h5",
    ]  # fmt: skip
    back = robot_motion.read_robot_parts(tmp_path)
    assert [part.frame_numbers[0] for part in back] == [1, 11, 31]
    assert [part.metadata["part"] for part in back] == [1, 2, 3]
    for part in back:
        assert part.metadata["parts"] == 3
        assert part.metadata["frame_ranges"].tolist() == [[1, 2], [11, 13], [31, 33]]
    robot_motion.write_robot_parts(tmp_path, [longer])
    assert [path.name for path in tmp_path.iterdir()] == ["retarget_poses_g1.h5"]


@pytest.mark.parametrize("slash", ["", "/"])
def test_a_robot_file_with_one_spelling_float_contacts_and_stl_names_is_read(tmp_path, slash):
    path = tmp_path / "r.h5"
    robot_motion.write_robot_motion(path, robot())
    with h5py.File(path, "r+") as file:
        other = "/" if slash == "" else ""
        for name in ("joint_names", "link_names", "fps"):
            del file.attrs[f"{other}{name}"]
        names = ["pelvis.STL", "foot.STL"]
        file.attrs.create(f"{slash}link_names", names, dtype=h5py.string_dtype())
        del file["contacts/left_foot"]
        file["contacts/left_foot"] = np.array([1.0, 0, 1], np.float32)
    back = robot_motion.read_robot_motion(path)
    assert back.link_names == ["pelvis", "foot"]
    assert back.left_foot.tolist() == [True, False, True]
    assert back.fps == 25.0
    assert back.metadata["method"] == "x"


def test_several_robots_come_back_by_their_ranking_or_else_their_id(tmp_path):
    path = tmp_path / "r.h5"
    robot_motion.write_robot_motions(path, {10: robot(first=7), 2: robot(first=7)})
    back = robot_motion.read_robot_motions(path)
    assert list(back) == [10, 2]
    assert back[10].joint_names == ["a_joint", "b_joint"]
    assert back[2].frame_numbers.tolist() == [7, 8, 9]
    assert back[2].present.tolist() == [True, True, False]
    with h5py.File(path, "r+") as file:
        assert file["persons/2"].attrs["fps"] == 25.0
        assert file.attrs["robot_name"] == "g1"
        del file.attrs["people_by_area"]
    assert list(robot_motion.read_robot_motions(path)) == [2, 10]


def test_robots_of_different_frames_are_no_file(tmp_path):
    with pytest.raises(ValueError, match="same frames"):
        robot_motion.write_robot_motions(tmp_path / "r.h5", {1: robot(), 2: robot(first=2)})
    assert not list(tmp_path.iterdir())


def test_a_file_that_is_no_hdf5_is_named(tmp_path):
    path = tmp_path / "r.h5"
    path.write_bytes(b"nothing")
    with pytest.raises(ArtifactError, match=r"r\.h5: damaged"):
        robot_motion.read_robot_motion(path)


@pytest.mark.parametrize("many", ["data", "groups", "small_data"])
def test_a_full_disk_is_an_error_of_the_system_and_leaves_nothing(tmp_path, many):
    # The limit stands for the disk. HDF5 by itself ends the process here, after "small_data".
    script = """
import sys
from pathlib import Path
from stages.artifacts.h5tree import created
many, path = sys.argv[1], Path(sys.argv[2])
try:
    with created(path) as file:
        for number in range(1500):
            if many == "groups":
                file.create_group(str(number))
            else:
                file[f"group/{number}"] = range(300 if many == "small_data" else 9000)
except OSError as error:
    print(error.errno, error.filename)
"""

    def small_files() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))

    path = tmp_path / "file.h5"
    done = subprocess.run(
        [sys.executable, "-c", script, many, str(path)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        preexec_fn=small_files,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == f"{errno.EFBIG} {path}"
    assert not list(tmp_path.iterdir())


@pytest.mark.skipif(sys.platform != "linux", reason="counts on flock as Linux has it")
def test_a_file_is_read_where_another_program_has_locked_it(world_path):
    with open(world_path, "rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)  # As good as a folder without locks: HDF5's own fails.
        with pytest.raises(OSError, match="unable to lock"):
            h5py.File(world_path)
        with world.opened_world(world_path) as (found, _):
            assert len(found) == T


def test_only_damage_is_a_reason_to_delete_a_file(tmp_path):
    cut, folder = tmp_path / "cut.h5", tmp_path / "folder.h5"
    cut.write_bytes(b"\x89HDF")
    folder.mkdir()
    for path, said in {cut: "damaged .*; delete it", folder: "cannot be read [^;]*$"}.items():
        with pytest.raises(ArtifactError, match=f"^{path}: {said}"), opened(path, "run a stage"):
            pass
