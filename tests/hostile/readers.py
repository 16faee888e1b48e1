"""Every reader of data files: how a good file is made and read, and what must hold then."""

import itertools
import pickle
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import scipy.sparse

from stages.artifacts import (
    bodies,
    calibrated_keypoints,
    comparison,
    contacts,
    curation,
    images,
    keypoints,
    masks,
    meshes,
    people_and_world,
    robot_motion,
    truth,
    verdicts,
    video_notes,
    world,
)
from stages.artifacts.npz_files import read_npz
from stages.artifacts.pickles import read_pickle
from stages.geometry.block_terrain import Terrain
from stages.robot.urdf import read_urdf
from stages.running import json_lines
from stages.running.stamps import Stamp, read_stamp, write_stamp

H, W, T = 12, 16, 3
STEMS = [f"{index + 1:05d}" for index in range(T)]
rng = np.random.default_rng(0)


@dataclass(frozen=True)
class Reader:
    """make: writes a good file into an empty folder. read: reads all of it, and raises
    AssertionError where later stages could make no sense of what came out.
    """

    name: str
    make: Callable[[Path], Path]
    read: Callable[[Path], Any]


def finite(*arrays: Any, most: float = 1e10) -> None:
    for array in arrays:
        numbers = np.asarray(array)
        assert numbers.dtype.kind in "biuf", numbers.dtype
        assert np.isfinite(numbers).all() and (np.abs(numbers.astype(float)) <= most).all()


def rotates(matrices: Any) -> None:
    finite(matrices)
    assert np.abs(matrices @ np.swapaxes(matrices, -1, -2) - np.eye(3)).max(initial=0) < 0.1


def frame(name: str) -> world.WorldFrame:
    pose = np.eye(4, dtype=np.float32)
    pose[:3, 3] = rng.normal(size=3)
    return world.WorldFrame(
        name,
        rng.integers(0, 255, (H, W, 3), np.uint8),
        np.array([[30.0, 0, 8], [0, 30, 6], [0, 0, 1]], np.float32),
        pose,
        rng.uniform(1, 5, (H, W)).astype(np.float32),
        np.ones((H, W), np.float32),
        rng.random((H, W)) > 0.9,
        np.array([[1.25, 0, 0.1], [0, 1.25, 0.1]]),
        time_s=int(name) / 30,
    )


def person() -> people_and_world.PersonMotion:
    eye = np.eye(3, dtype=np.float32)
    return people_and_world.PersonMotion(
        STEMS,
        np.tile(eye, (T, 23, 1, 1)),
        np.tile(eye, (T, 1, 1)),
        rng.normal(size=(T, 3)).astype(np.float32),
        np.zeros((T, 10), np.float32),
    )


def make_world(folder: Path) -> Path:
    path = folder / "world.h5"
    about = world.heights_metadata({1: 1.8})
    world.write_world(path, (frame(name) for name in STEMS), method="sfm", **about)
    return path


def look_at_frames(frames: world.FrameGroup) -> None:
    assert frames.numbers == sorted(set(frames.numbers))
    times_s = frames.times_s
    assert all(b > a for a, b in itertools.pairwise(times_s))
    for view in frames:
        size = view.size
        assert view.rgb.shape == (*size, 3) and view.points.shape == (*size, 3)
        for array in (view.depth, view.confidence, view.measured, view.dynamic):
            assert array.shape == size
        finite(view.depth, view.points, view.confidence, view.intrinsic, view.T_world_camera)
        finite(view.affine_original_from_reconstruction)
        rotates(view.T_world_camera[:3, :3])
        assert min(view.intrinsic[0, 0], view.intrinsic[1, 1]) > 0 and view.depth.min() >= 0


def read_world(path: Path) -> None:
    with world.opened_world(path) as (frames, about):
        assert all(0 < height < 100 for height in world.heights_of(about).values())
        look_at_frames(frames)


def make_people(folder: Path) -> Path:
    path, source = folder / "people.h5", make_world(folder)
    with world.opened_world(source) as (frames, _):
        people_and_world.write_people_and_world(
            path, frames, {1: person()}, lambda p: p, lambda T_: T_, people_by_area=[1]
        )
    source.unlink()
    return path


def read_people(path: Path) -> None:
    with people_and_world.opened_people_and_world(path) as file:
        for one in file.people.values():
            count = len(one.frames)
            assert one.body_pose.shape == (count, 23, 3, 3) and one.betas.shape == (count, 10)
            finite(one.body_pose, one.R_world_root, most=2)
            finite(one.root_transl, one.betas, most=1e6)
        assert all(rank in file.people for rank in file.ranking)
        look_at_frames(file.world)
        copy = path.with_name("copy.h5")
        people_and_world.write_people_and_world(
            copy, file.world, file.people, lambda p: p, lambda T_: T_, frames_as_dataset=True
        )
        copy.unlink()


def make_joints(folder: Path) -> Path:
    path = folder / calibrated_keypoints.FILE
    joints = calibrated_keypoints.PersonJoints(
        rng.normal(size=(T, 45, 3)).astype(np.float32),
        np.tile(np.eye(3, dtype=np.float32), (T, 1, 1)),
    )
    calibrated_keypoints.write_calibrated_keypoints(
        path,
        calibrated_keypoints.CalibratedKeypoints(
            {1: joints}, np.eye(3, dtype=np.float32), ["a", "b"], {"people_by_area": [1]}
        ),
    )
    return path


def read_joints(path: Path) -> None:
    found = calibrated_keypoints.read_calibrated_keypoints(path)
    rotates(found.R_zup_stage2)
    for one in found.people.values():
        assert one.joints.shape[1:] == (45, 3) and len(one.R_world_root) == len(one.joints)
        finite(one.joints, most=1e6)
        rotates(one.R_world_root)


def robot() -> robot_motion.RobotMotion:
    turns = np.tile([0.0, 0, 0, 1], (T, 2, 1))
    return robot_motion.RobotMotion(
        25.0, ["a_joint", "b_joint"], ["a", "b"], rng.normal(size=(T, 2)).astype(np.float32),
        rng.normal(size=(T, 3)), turns[:, 0], rng.normal(size=(T, 2, 3)), turns,
        np.ones(T, bool), np.zeros(T, bool), np.arange(1, T + 1, dtype=np.int32),
        np.arange(T) / 25, np.ones(T, bool), np.ones(T, bool), {"person": 1},
    )  # fmt: skip


def make_robot(folder: Path) -> Path:
    path = folder / robot_motion.SINGLE_FILE
    robot_motion.write_robot_motion(path, robot())
    return path


def make_robots(folder: Path) -> Path:
    path = folder / robot_motion.MULTI_FILE
    robot_motion.write_robot_motions(path, {2: robot(), 1: robot()})
    return path


def look_at_robot(one: robot_motion.RobotMotion) -> None:
    count = len(one.joints)
    assert count and one.joints.shape == (count, len(one.joint_names)) and 0 < one.fps < 1e5
    assert one.link_pos.shape == (count, len(one.link_names), 3)
    assert one.root_pos.shape == (count, 3) and one.root_quat_xyzw.shape == (count, 4)
    assert len(one.left_foot) == len(one.seen) == len(one.frame_numbers) == count
    finite(one.joints, one.root_pos, one.link_pos, one.root_quat_xyzw, one.link_quat_xyzw)
    assert (np.diff(one.times_s) > 0).all() and (np.diff(one.frame_numbers) >= 0).all()
    assert np.linalg.norm(one.link_quat_xyzw, axis=-1).min() > 0


def read_robot(path: Path) -> None:
    for parts in robot_motion.read_robots(path.parent).values():
        for part in parts:
            look_at_robot(part)


def make_contacts(folder: Path) -> Path:
    touching = contacts.PersonContact(rng.random((6890, 1)).astype(np.float32), True, False)
    contacts.write_contacts(folder, STEMS[0], {1: touching})
    return contacts.contacts_path(folder, STEMS[0])


def read_contacts(path: Path) -> None:
    for one in (contacts.read_contacts(path.parent, STEMS[0]) or {}).values():
        assert one.vertices.shape == (6890, 1)
        assert -0.01 < one.vertices.min() <= one.vertices.max() < 1.01


def make_bodies(folder: Path) -> Path:
    eye = np.eye(3, dtype=np.float32)
    body = bodies.PersonBody(eye[None], np.tile(eye, (23, 1, 1)), np.zeros(10, np.float32))
    bodies.write_bodies(folder, 1, {1: body})
    return bodies.bodies_path(folder, 1)


def read_bodies(path: Path) -> None:
    for one in bodies.read_bodies(path.parent, 1).values():
        rotates(one.body_pose)
        rotates(one.R_camera_root)
        finite(one.betas, most=1e3)


def make_keypoints(folder: Path) -> Path:
    seen = keypoints.PersonKeypoints(
        np.array([1, 2, 30, 40, 0.9], np.float32), rng.uniform(0, 99, (133, 3)).astype(np.float32)
    )
    keypoints.write_keypoints(folder, 1, {1: seen})
    return keypoints.keypoints_path(folder, 1)


def read_keypoints(path: Path) -> None:
    for one in keypoints.read_keypoints(path.parent, 1).values():
        finite(one.box)
        assert one.keypoints.shape == (133, 3)
        finite(one.keypoints[np.isfinite(one.keypoints)])


def ids() -> np.ndarray:
    found = np.zeros((H, W), np.uint16)
    found[2:6, 3:9] = 1
    return found


def make_mask(folder: Path) -> Path:
    masks.write_frame(folder, STEMS[0], ids(), {1: 0.9})
    return masks.mask_path(folder, STEMS[0])


def read_mask(path: Path) -> None:
    assert masks.read_mask(path.parents[1], STEMS[0], (H, W)).shape == (H, W)
    assert masks.read_mask(path.parents[1], STEMS[0]).dtype == np.uint16


def make_labels(folder: Path) -> Path:
    masks.write_frame(folder, STEMS[0], ids(), {1: 0.9, 2: 0.1})
    return masks.label_path(folder, STEMS[0])


def read_labels(path: Path) -> None:
    for number, label in masks.read_labels(path.parents[1], STEMS[0]).items():
        assert 1 <= number <= 65535
        finite(label.box, label.score)


def make_summary(folder: Path) -> Path:
    labels = masks.write_frame(folder, STEMS[0], ids(), {1: 0.9})
    masks.write_summary(folder, masks.summarise([labels]))
    return masks.summary_path(folder)


def read_summary(path: Path) -> None:
    found = masks.read_summary(path.parent)
    chosen = masks.choose_people(found, multihuman=True, top_k=0)
    chosen += masks.choose_people(found, multihuman=False, top_k=0)
    assert set(chosen) <= set(found.all_instance_ids)
    finite(list(found.avg_areas.values()) + list(found.frame_counts.values()) + [0])


def make_times(folder: Path) -> Path:
    images.write_times(folder, images.FrameTimes(30.0, np.arange(5) / 30, "a.mp4", "note"))
    return folder / images.TIMES_FILE


def read_times(path: Path) -> None:
    found = images.read_times(path.parent)
    if found:
        assert 0 < found.fps < 1e6 and (np.diff(found.times_s) >= 0).all()
        assert isinstance(found.note, str) and isinstance(found.source, str)


def make_picture(name: str) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        images.write_image(folder / name, rng.integers(0, 255, (H, W, 3), np.uint8))
        return folder / name

    return make


def read_picture(path: Path) -> None:
    found = images.read_image(path)
    assert found.ndim == 3 and found.shape[2] == 3 and found.dtype == np.uint8


def make_mesh(folder: Path) -> Path:
    vertices = rng.normal(size=(8, 3))
    meshes.write_mesh(folder / meshes.MESH_FILE, vertices, np.arange(6).reshape(2, 3))
    return folder / meshes.MESH_FILE


def read_mesh(path: Path) -> None:
    vertices, faces = meshes.read_mesh(path)
    finite(vertices, most=1e6)
    assert faces.size == 0 or 0 <= faces.min() <= faces.max() < len(vertices)


def make_cloud(folder: Path) -> Path:
    path = folder / meshes.LESS_FILTERED_FILE
    meshes.write_cloud(path, rng.normal(size=(9, 3)), rng.integers(0, 255, (9, 3), np.uint8))
    return path


def read_cloud(path: Path) -> None:
    points, colours = meshes.read_cloud(path)
    finite(points, most=1e6)
    assert colours.shape == points.shape


def make_truth(folder: Path) -> Path:
    frames, people = 2, 1
    turns = np.tile(np.eye(3), (people, frames, 24, 1, 1))
    truth.write_truth(
        folder,
        truth.Truth(
            "a", "flat", 1, 30.0, np.arange(frames) / 30, np.diag([30.0, 30, 1]),
            np.tile(np.eye(4), (frames, 1, 1)), np.array([0]), rng.uniform(1, 5, (1, H, W)),
            rng.integers(0, 2, (frames, H, W)).astype(np.uint8), np.zeros((people, 10)), turns,
            np.zeros((people, frames, 3)), np.zeros((people, frames, 45, 3)),
            np.ones((people, frames, 2), bool), np.ones((people, frames, 133, 2)),
            np.ones((people, frames, 133), np.uint8), Terrain("flat"),
        ),
    )  # fmt: skip
    return folder / truth.TRUTH_FILE


def read_truth(path: Path) -> None:
    found = truth.read_truth(path.parent)
    finite(found.K, found.T_world_camera, found.joints_m, found.local_rotmats, found.root_m)
    assert found.joints_m.shape[:2] == (len(found.betas), len(found.times_s))
    assert (np.diff(found.times_s) > 0).all()


def make_notes(folder: Path) -> Path:
    (folder / "a.json").write_text('{"height_m": {"1": 1.83, "2": 1.66}}')
    return folder / "a.json"


def read_notes(path: Path) -> None:
    assert all(0.3 < each < 3 for each in video_notes.read_notes(path).heights_m.values())


def make_betas(folder: Path) -> Path:
    bodies.write_betas(folder / bodies.BETAS_FILE, np.zeros(10, np.float32), target_height=1.8)
    return folder / bodies.BETAS_FILE


def read_betas(path: Path) -> None:
    finite(bodies.read_betas(path), most=1e3)


def make_stamp(folder: Path) -> Path:
    write_stamp(folder / "a.json", Stamp(True, {"fps": 1}, {}, {}, {"body": "b"}, [], {}))
    return folder / "a.json"


def make_lines(name: str, record: dict) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        json_lines.append(folder / name, record)
        return folder / name

    return make


def make_judged(folder: Path) -> Path:
    measure = verdicts.Measure("m", "title", "cm", "small", "meaning")
    clips = {"a": verdicts.Judged("keep", ["fine"], {"m": 1.0})}
    limits = {"m": verdicts.Threshold(1.0, 2.0, "source")}
    verdicts.write_verdicts(folder, verdicts.Verdicts([measure], limits, clips))
    return folder / verdicts.FILE


def make_compared(folder: Path) -> Path:
    compared = comparison.Compared("text", 1.0, "<= 3", True)
    comparison.write_comparison(folder, {"a": {"m": compared}})
    return folder / comparison.FILE


URDF = """<robot name="r"><link name="a"><collision><origin xyz="0 0 1" rpy="0 0 0"/><geometry>
<cylinder length="1" radius="0.1"/></geometry></collision></link><link name="b"/>
<joint name="j" type="revolute"><parent link="a"/><child link="b"/><axis xyz="0 0 1"/>
<limit lower="-1" upper="1" velocity="2" effort="3"/></joint></robot>"""


def make_urdf(folder: Path) -> Path:
    (folder / "r.urdf").write_text(URDF)
    return folder / "r.urdf"


def look_at_urdf(path: Path) -> None:
    for joint in read_urdf(path).joints:
        finite(joint.R, joint.p, joint.axis)


def make_pickle(folder: Path) -> Path:
    record = {
        "a": np.arange(12.0).reshape(3, 4), "m": scipy.sparse.csc_matrix(np.eye(4)),
        "l": [1, 2.5, "x", (None, True)], "o": np.array([{1: 2}, "y"], object),
    }  # fmt: skip
    (folder / "a.pkl").write_bytes(pickle.dumps(record, protocol=2))
    return folder / "a.pkl"


def make_npz(folder: Path) -> Path:
    np.savez_compressed(folder / "a.npz", a=np.arange(20.0), b=np.ones((2, 2), bool))
    return folder / "a.npz"


READERS = [
    Reader("world", make_world, read_world),
    Reader("people and world", make_people, read_people),
    Reader("calibrated keypoints", make_joints, read_joints),
    Reader("robot motion", make_robot, read_robot),
    Reader("robot motions", make_robots, read_robot),
    Reader("contacts", make_contacts, read_contacts),
    Reader("bodies", make_bodies, read_bodies),
    Reader("keypoints", make_keypoints, read_keypoints),
    Reader("masks", make_mask, read_mask),
    Reader("labels", make_labels, read_labels),
    Reader("summary", make_summary, read_summary),
    Reader("frame times", make_times, read_times),
    Reader("jpeg", make_picture("00001.jpg"), read_picture),
    Reader("png", make_picture("00001.png"), read_picture),
    Reader("mesh", make_mesh, read_mesh),
    Reader("point cloud", make_cloud, read_cloud),
    Reader("truth", make_truth, read_truth),
    Reader("notes", make_notes, read_notes),
    Reader("betas", make_betas, read_betas),
    Reader("stamp", make_stamp, lambda path: read_stamp(path)),
    Reader("ledger", make_lines("runs.jsonl", {"video": "a", "stage": "s"}), json_lines.read),
    Reader(
        "decisions",
        make_lines(curation.FILE, {"video": "a", "verdict": "keep", "tags": ["x"]}),
        lambda path: curation.decisions_of(path.parent),
    ),
    Reader("verdicts", make_judged, lambda path: verdicts.read_verdicts(path.parent)),
    Reader("comparison", make_compared, lambda path: comparison.read_comparison(path.parent)),
    Reader("robot description", make_urdf, look_at_urdf),
    Reader("pickle", make_pickle, read_pickle),
    Reader("npz", make_npz, lambda path: read_npz(path, "make it anew")),
]
