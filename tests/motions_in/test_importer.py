"""Joints of other sources become what stage 4 follows, and the robot follows it."""

import numpy as np
import pytest
import trimesh
from click.testing import CliRunner
from scipy.spatial.transform import Rotation

from stages.artifacts.calibrated_keypoints import FILE, read_calibrated_keypoints
from stages.artifacts.errors import ArtifactError
from stages.artifacts.layout import CALIBRATED
from stages.artifacts.meshes import MESH_FILE, read_mesh
from stages.artifacts.robot_motion import SINGLE_FILE, read_robot_motion
from stages.body.joint_names import SMPL24_NAMES, SMPL45_NAMES
from stages.body.kinematics import smpl45 as true_smpl45
from stages.body.model import DEMO_BODY, load_body
from stages.export.command import main as exporter
from stages.motions_in.capture import Capture, at_rate
from stages.motions_in.command import main
from stages.motions_in.smpl45 import NEEDED, smpl45
from stages.motions_in.sources import CAPTURE_NAMES, read_capture53
from stages.stage4_retarget.stage import main as stage4
from stages.viewer.clip import open_clip
from stages.viewer.results import find_results

FRAMES, STILL, FPS = 32, 12, 30.0
Z_UP = Rotation.from_euler("x", 90, degrees=True).as_matrix()


@pytest.fixture(scope="module")
def walker() -> tuple[np.ndarray, np.ndarray]:
    """SMPL-45 of somebody who stands, then swings arms and legs and goes on, and root axes."""
    body = load_body(DEMO_BODY)
    joints, axes = [], []
    for frame in [0] * STILL + list(range(FRAMES - STILL)):
        swing = 0.4 * np.sin(2 * np.pi * frame / (FRAMES - STILL))
        turns = np.zeros((24, 3))
        turns[[1, 2]] = [[-swing, 0, 0], [swing, 0, 0]]
        turns[[4, 5]] = [[max(swing, 0), 0, 0], [max(-swing, 0), 0, 0]]
        turns[[16, 17]] = [[0, swing, -1.2], [0, swing, 1.2]]
        local = Rotation.from_rotvec(turns).as_matrix()
        local[0] = Z_UP @ Rotation.from_euler("y", 4 * frame, degrees=True).as_matrix()
        root = np.array([0.02 * frame, -0.01 * frame, 1.0])
        found = np.array(true_smpl45(body, np.zeros(10), local.astype(np.float32), root))
        found[:, 2] -= found[[31, 34], 2].min()
        joints.append(found)
        axes.append(local[0])
    return np.stack(joints), np.stack(axes)


def names_of(joints: np.ndarray, names=SMPL24_NAMES) -> dict[str, np.ndarray]:
    return {name: joints[:, place] for place, name in enumerate(names)}


def run(*flags):
    return CliRunner().invoke(main, [str(flag) for flag in flags])


def test_heels_and_axes_that_no_file_has_are_found(walker):
    joints, axes = walker
    found = smpl45(Capture(FPS, names_of(joints[:, :24])))
    np.testing.assert_allclose(found.joints[:, :24], joints[:, :24], atol=1e-5)
    heels = [SMPL45_NAMES.index(f"{side}_heel") for side in ("left", "right")]
    assert np.linalg.norm(found.joints[:, heels] - joints[:, heels], axis=-1).max() < 0.05
    between = Rotation.from_matrix(np.swapaxes(axes, 1, 2) @ found.R_world_root).magnitude()
    assert np.degrees(between).max() < 12  # The spine of a person at rest is not quite upright.


def test_the_fewest_joints_are_enough_and_one_less_is_named(walker):
    joints, _ = walker
    known = {name: each for name, each in names_of(joints[:, :24]).items() if name in NEEDED}
    found = smpl45(Capture(FPS, known))
    assert np.isfinite(found.joints).all()
    pelvis = np.linalg.norm(found.joints[:, 0] - joints[:, 0], axis=1)
    assert pelvis.max() < 0.06
    del known["left_knee"], known["right_foot"]
    with pytest.raises(ValueError, match="no left_knee, right_foot"):
        smpl45(Capture(FPS, known))


def test_another_rate_keeps_the_duration(walker):
    joints, _ = walker
    slower = at_rate(Capture(120.0, names_of(joints[:, :24])), 30.0)
    assert len(slower) == 8
    np.testing.assert_allclose(slower.joints["head"], joints[::4, 15], atol=1e-9)


def test_captures_of_53_joints_are_read_by_their_names(walker, tmp_path):
    joints, _ = walker
    capture = np.zeros((FRAMES, 53, 3))
    for theirs, ours in [
        ("LeftUpLeg", "left_hip"), ("RightUpLeg", "right_hip"), ("LeftLeg", "left_knee"),
        ("RightLeg", "right_knee"), ("LeftFoot", "left_ankle"), ("RightFoot", "right_ankle"),
        ("LeftToeBase", "left_foot"), ("RightToeBase", "right_foot"), ("LeftArm", "left_shoulder"),
        ("RightArm", "right_shoulder"), ("LeftForeArm", "left_elbow"), ("Head", "head"),
        ("RightForeArm", "right_elbow"), ("LeftHand", "left_wrist"), ("RightHand", "right_wrist"),
        ("Spine", "spine_1"), ("Spine1", "spine_3"), ("Neck", "neck"),
    ]:  # fmt: skip
        capture[:, CAPTURE_NAMES.index(theirs)] = joints[:, SMPL24_NAMES.index(ours)]
    np.save(tmp_path / "c.npy", capture)
    found = smpl45(read_capture53(tmp_path / "c.npy", 120.0))
    for name in ("left_knee", "right_wrist", "head"):
        place = SMPL24_NAMES.index(name)
        np.testing.assert_allclose(found.joints[:, place], joints[:, place], atol=1e-5)
    assert np.linalg.norm(found.joints[:, 0] - joints[:, 0], axis=1).max() < 0.06


@pytest.fixture(scope="module")
def data(walker, tmp_path_factory):
    """The walker's 22 joints on a box of 10 cm, after importer and stage 4."""
    folder = tmp_path_factory.mktemp("imported")
    joints = walker[0][:, :22] + [0, 0, 0.1]
    np.savez(folder / "walker.npz", joints=joints, fps=FPS)
    trimesh.creation.box((4, 4, 0.1)).apply_translation((0, 0, 0.05)).export(folder / "box.obj")
    flags = ["--format", "smpl", "--data-dir", folder / "data", "--mesh", folder / "box.obj"]
    result = run(folder / "walker.npz", *flags)
    assert result.exit_code == 0, result.output
    assert "walker: 32 frames at 30 a second" in result.output
    (calibrated,) = (folder / "data" / CALIBRATED).iterdir()
    done = CliRunner().invoke(
        stage4, ["--postprocessed-base-dir", str(calibrated.parent)], catch_exceptions=False
    )
    assert done.exit_code == 0, done.output
    return folder / "data"


def calibrated(data):
    (folder,) = (data / CALIBRATED).iterdir()
    return folder


def test_the_place_has_its_box_and_a_floor(data):
    vertices, faces = read_mesh(calibrated(data) / MESH_FILE)
    assert len(faces) == 12 + 2 and vertices[:, 2].max() == pytest.approx(0.1)


@pytest.mark.slow
def test_the_robot_walks_where_the_person_did_with_its_feet_on_the_box(data):
    motion = read_robot_motion(calibrated(data) / SINGLE_FILE)
    (person,) = read_calibrated_keypoints(calibrated(data) / FILE).people.values()
    assert len(motion.joints) == FRAMES and motion.fps == pytest.approx(FPS)
    away = np.linalg.norm(motion.root_pos[:, :2] - person.joints[:, 0, :2], axis=1)
    assert away.max() < 0.15
    feet = [motion.link_names.index(f"{side}_foot_link") for side in ("left", "right")]
    lowest = motion.link_pos[:, feet, 2].min(axis=1)
    assert motion.left_foot[2 : STILL - 2].all() and motion.right_foot[2 : STILL - 2].all()
    assert lowest.min() > 0.09 and np.median(lowest) < 0.2


@pytest.mark.slow
def test_what_was_taken_in_goes_out_again_without_a_person_whose_body_nobody_knows(data):
    result = CliRunner().invoke(exporter, ["--data-dir", str(data), "--format", "glb"])
    assert result.exit_code == 0, result.output
    held = (data / "export" / "glb" / "walker.glb").read_bytes()
    assert b"robot/pelvis" in held and b"person/" not in held


def test_the_viewer_says_in_a_line_that_there_is_no_video(data):
    with pytest.raises(ArtifactError, match=r"no frames of a video; look at it as glb"):
        open_clip(find_results(data / CALIBRATED)[0])


@pytest.mark.parametrize(
    ("name", "arrays", "said"),
    [
        ("few.npz", {"joints": np.zeros((5, 17, 3))}, "expected (frames, 22 or 24, 3)"),
        ("none.npz", {"poses": np.zeros((5, 72))}, "has poses, expected joints"),
        ("nan.npz", {"joints": np.full((5, 22, 3), np.nan)}, "joints"),
        ("code.npz", {"joints": np.array([{"a": 1}], dtype=object)}, "joints"),
    ],
)
def test_files_of_something_else_are_one_line_and_the_others_are_taken(
    walker, tmp_path, name, arrays, said
):
    np.savez(tmp_path / name, **arrays)
    np.savez(tmp_path / "good.npz", joints=walker[0][:, :22])
    flags = ["--format", "smpl", "--data-dir", tmp_path / "data"]
    result = run(tmp_path / name, tmp_path / "missing.npz", tmp_path / "good.npz", *flags)
    assert result.exit_code == 1
    failed = [line for line in result.output.splitlines() if line.startswith("failed:")]
    assert len(failed) == 2 and said in failed[0] and "missing.npz" in failed[1]
    assert "good: 32 frames at 30 a second; assumed: 30 frames a second" in result.output
