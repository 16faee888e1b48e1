"""The whole chain on a short cut of the demo leaves what docs/outputs.md promises."""

import json
import pickle
import re
import time
from pathlib import Path

import h5py
import numpy as np
import pytest
import trimesh
from PIL import Image
from scipy.spatial.transform import Rotation

from stages.running import ledger
from tests.pipeline.commands import CHAIN, REPOSITORY, command
from tests.pipeline.finished import FPS, FRAMES, VIDEO
from tests.robot.test_g1_file import JOINTS, LINKS, TRACKED

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1200)]

NAMES = [f"{number:05d}" for number in range(1, FRAMES + 1)]
STEM = f"sfm_reconstruction_results_{VIDEO}_cam01_frame_0_{FRAMES}_subsample_1"
RUN = f"megahunter_{STEM}"
CALIBRATED = f"output_calib_mesh/{RUN}"
FILES = {
    f"videos/{VIDEO}.mp4",
    *(f"input_images/{VIDEO}/cam01/{name}.jpg" for name in NAMES),
    f"input_images/{VIDEO}/cam01/frames.json",
    *(f"input_masks/{VIDEO}/cam01/mask_data/mask_{name}.npz" for name in NAMES),
    *(f"input_masks/{VIDEO}/cam01/json_data/mask_{name}.json" for name in NAMES),
    f"input_masks/{VIDEO}/cam01/meta_data.json",
    *(f"input_2d_poses/{VIDEO}/cam01/pose_{name}.json" for name in NAMES),
    *(f"input_3d_meshes/{VIDEO}/cam01/smpl_params_{name}.pkl" for name in NAMES),
    *(f"input_contacts/{VIDEO}/cam01/{name}.pkl" for name in NAMES),
    f"input_sfm/{STEM}.h5",
    f"output_smpl_and_points/{RUN}.h5",
    f"{CALIBRATED}/gravity_calibrated_keypoints.h5",
    f"{CALIBRATED}/gravity_calibrated_megahunter.h5",
    f"{CALIBRATED}/background_mesh.obj",
    f"{CALIBRATED}/background_less_filtered_colored_pointcloud.ply",
    f"{CALIBRATED}/background_more_filtered_colored_pointcloud.ply",
    f"{CALIBRATED}/retarget_poses_g1.h5",
    "runs.jsonl",
}
MODELS = {
    "stage0-frames": set(),
    "stage0-sam2": {"dino_checkpoint/model.safetensors", "sam2_checkpoint/model.safetensors"},
    "stage0-vitpose": {"model_checkpoint/model.safetensors"},
    "stage0-vimo": {"model_checkpoint"},
    "stage0-bstro": {"model_checkpoint", "body_model"},
    "stage1-sfm": set(),
    "stage2-megahunter": {"body_model"},
    "stage3-postprocess": {"body_model"},
    "stage4-retarget": {"robot_file"},
}


@pytest.fixture(scope="module")
def data(chain) -> Path:
    return chain.data


@pytest.mark.parametrize("stage", CHAIN)
def test_every_stage_ends_well(chain, stage):
    assert chain.ran[stage].exit_code == 0, chain.ran[stage].output
    (outcome,) = {entry["outcome"] for entry in chain.ran[stage].entries.values()}
    assert outcome == "done"


def test_exactly_the_documented_files_are_there(data):
    files = (file.relative_to(data) for file in data.rglob("*") if file.is_file())
    visible = {str(file) for file in files if not file.parts[0].startswith(".")}
    assert visible == FILES


def test_frames_are_pictures_on_a_true_clock(data):
    folder = data / "input_images" / VIDEO / "cam01"
    with Image.open(folder / "00001.jpg") as image:
        assert image.size == (640, 360)
    record = json.loads((folder / "frames.json").read_text())
    assert record["fps"] == FPS and len(record["times_s"]) == FRAMES
    assert record["source"] == f"{VIDEO}.mp4"


def test_the_person_has_a_mask_and_a_box_in_every_frame(data):
    folder = data / "input_masks" / VIDEO / "cam01"
    summary = json.loads((folder / "meta_data.json").read_text())
    assert summary["all_instance_ids"] == [1] and summary["largest_area_id"] == 1
    assert summary["frame_counts"] == {"1": FRAMES}
    for name in NAMES:
        mask = np.load(folder / "mask_data" / f"mask_{name}.npz")["mask"]
        assert mask.shape == (360, 640) and mask.dtype == np.uint16
        label = json.loads((folder / "json_data" / f"mask_{name}.json").read_text())["labels"]["1"]
        rows, columns = np.nonzero(mask == 1)
        box = [columns.min(), rows.min(), columns.max(), rows.max()]
        assert [label[key] for key in ("x1", "y1", "x2", "y2")] == box


def test_keypoints_are_133_a_person(data):
    for name in NAMES:
        file = data / "input_2d_poses" / VIDEO / "cam01" / f"pose_{name}.json"
        person = json.loads(file.read_text())["1"]
        assert np.isfinite(person["keypoints"]).all()
        assert np.shape(person["keypoints"]) == (133, 3) and np.shape(person["bbox"]) == (5,)


def test_bodies_are_rotations_and_a_shape(data):
    file = data / "input_3d_meshes" / VIDEO / "cam01" / f"smpl_params_{NAMES[-1]}.pkl"
    parameters = pickle.loads(file.read_bytes())[1]["smpl_params"]
    assert {key: value.shape for key, value in parameters.items()} == {
        "global_orient": (1, 3, 3),
        "body_pose": (23, 3, 3),
        "betas": (10,),
    }
    rotations = np.concatenate([parameters["global_orient"], parameters["body_pose"]])
    np.testing.assert_allclose(
        rotations @ rotations.transpose(0, 2, 1), np.tile(np.eye(3), (24, 1, 1)), atol=1e-4
    )


def test_contacts_are_probabilities_and_two_flags(data):
    file = data / "input_contacts" / VIDEO / "cam01" / f"{NAMES[0]}.pkl"
    contact = pickle.loads(file.read_bytes())[1]
    assert contact["frame_contact_vertices"].shape == (6890, 1)
    assert 0 <= contact["frame_contact_vertices"].min() <= contact["frame_contact_vertices"].max()
    assert contact["frame_contact_vertices"].max() <= 1
    assert type(contact["left_foot_contact"]) is type(contact["right_foot_contact"]) is np.bool_


def test_the_world_has_cameras_depth_and_points_of_every_frame(data):
    with h5py.File(data / "input_sfm" / f"{STEM}.h5") as file:
        group = file["monst3r_ga_output"]
        assert sorted(group) == NAMES
        for frame in group.values():
            height, width = frame["depths"].shape
            assert {name: dataset.shape for name, dataset in frame.items()} == {
                "rgbimg": (height, width, 3),
                "intrinsic": (3, 3),
                "cam2world": (4, 4),
                "depths": (height, width),
                "depths_behind_people": (height, width),
                "pts3d": (height, width, 3),
                "conf": (height, width),
                "msk": (height, width),
                "dynamic_msk": (height, width),
                "affine_matrix": (2, 3),
            }


@pytest.mark.parametrize(
    "file",
    [
        f"output_smpl_and_points/{RUN}.h5",
        f"{CALIBRATED}/gravity_calibrated_megahunter.h5",
    ],
)
def test_people_and_world_lie_in_one_file(data, file):
    with h5py.File(data / file) as opened:
        assert sorted(opened["our_pred_world_cameras_and_structure"]) == NAMES
        person = opened["our_pred_humans_smplx_params"]["1"]
        assert {name: dataset.shape for name, dataset in person.items()} == {
            "body_pose": (FRAMES, 23, 3, 3),
            "global_orient": (FRAMES, 1, 3, 3),
            "root_transl": (FRAMES, 1, 3),
            "betas": (FRAMES, 10),
        }
        assert all(np.isfinite(dataset[:]).all() for dataset in person.values())
        if "gravity" in file:
            frames = opened["person_frame_info_list/1"].asstr()[:]
        else:
            frames = opened.attrs["/person_frame_info_list/1"]
        assert np.ravel(frames).tolist() == NAMES


def test_every_row_says_which_frame_it_is_and_when_it_was(data):
    times_s = np.arange(FRAMES) / FPS
    for file, group in (
        (f"input_sfm/{STEM}.h5", "monst3r_ga_output"),
        (f"output_smpl_and_points/{RUN}.h5", "our_pred_world_cameras_and_structure"),
        (
            f"{CALIBRATED}/gravity_calibrated_megahunter.h5",
            "our_pred_world_cameras_and_structure",
        ),
    ):
        with h5py.File(data / file) as opened:
            found = [opened[group][name].attrs["time_s"] for name in NAMES]
        np.testing.assert_allclose(found, times_s)
    with h5py.File(data / CALIBRATED / "retarget_poses_g1.h5") as file:
        assert file["frame_numbers"][:].tolist() == list(range(1, FRAMES + 1))
        np.testing.assert_allclose(file["times_s"][:], times_s)
        assert file["seen"][:].all()


def test_the_person_stands_upright_on_the_mesh(data):
    with h5py.File(data / CALIBRATED / "gravity_calibrated_keypoints.h5") as file:
        joints = file["joints/1"][:]
        assert joints.shape == (FRAMES, 45, 3)
        assert file["root_orient/1"].shape == (FRAMES, 1, 3, 3)
        assert file["world_rotation"].shape == (3, 3)
        assert len(file.attrs["/joint_names"]) == 45
    height_m = np.ptp(joints[..., 2], axis=1)
    assert 1.2 < np.median(height_m) < 2.1
    mesh = trimesh.load(data / CALIBRATED / "background_mesh.obj")
    assert isinstance(mesh, trimesh.Trimesh)
    pelvis = joints[:, 0].astype(float)
    hits, rays, _ = mesh.ray.intersects_location(pelvis, np.tile([0, 0, -1.0], (FRAMES, 1)))
    assert len(np.unique(rays)) > FRAMES / 2
    assert abs(np.median(hits[:, 2] - joints[rays, :, 2].min(1))) < 0.15


@pytest.mark.parametrize("kind", ["less", "more"])
def test_point_clouds_have_colours(data, kind):
    file = data / CALIBRATED / f"background_{kind}_filtered_colored_pointcloud.ply"
    cloud = trimesh.load(file)
    assert len(cloud.vertices) > 1000
    assert cloud.colors.shape == (len(cloud.vertices), 4)


def test_the_simulator_can_read_the_robot_s_motion(data):
    with h5py.File(data / CALIBRATED / "retarget_poses_g1.h5") as file:
        joints, links = file.attrs["/joint_names"].tolist(), file.attrs["/link_names"].tolist()
        assert joints == JOINTS
        assert links == [link for link in LINKS if link in links]
        tracked = set(TRACKED) - {"torso_link"}
        assert len(tracked) == 13 and "torso_link" in links and tracked <= set(links)
        assert file.attrs["/fps"] == FPS
        shapes = {name: file[name].shape for name in file if name != "contacts"}
        assert shapes == {
            "joints": (FRAMES, 23),
            "root_pos": (FRAMES, 3),
            "root_quat": (FRAMES, 4),
            "link_pos": (FRAMES, len(links), 3),
            "link_quat": (FRAMES, len(links), 4),
            **dict.fromkeys(("frame_numbers", "times_s", "seen"), (FRAMES,)),
        }
        np.testing.assert_allclose(file["times_s"][:], np.arange(FRAMES) / FPS)
        assert all(np.isfinite(file[name][:]).all() for name in shapes)
        for foot in ("left_foot", "right_foot"):
            flags = file["contacts"][foot][:].astype(np.float32)
            assert flags.shape == (FRAMES,) and set(np.unique(flags)) <= {0.0, 1.0}
        np.testing.assert_allclose(
            file["link_pos"][:, links.index("pelvis")], file["root_pos"][:], atol=1e-5
        )
        # x, y, z, w: read so, the pelvis of somebody who walks stands upright.
        up = Rotation.from_quat(file["root_quat"][:]).apply([0, 0, 1])
        assert np.median(up[:, 2]) > 0.8


def test_the_ledger_says_with_which_weights_each_stage_ran(data):
    entries = {entry["stage"]: entry for entry in ledger.read(data) if entry["outcome"] == "done"}
    assert list(entries) == CHAIN
    for stage, entry in entries.items():
        assert entry["video"] == VIDEO
        assert entry["reason"] and entry["seconds"] > 0
        checksums = entry["weights_sha256"]
        assert MODELS[stage] <= checksums.keys()  # Of folders every file.
        assert all(re.fullmatch("[0-9a-f]{64}", checksum) for checksum in checksums.values())


@pytest.mark.parametrize("stage", ["stage0-sam2", "stage0-vitpose", "stage0-vimo", "stage0-bstro"])
def test_demo_weights_are_announced_in_one_line(chain, stage):
    notice = chain.ran[stage].output.splitlines()[0]
    assert notice.startswith(f"{stage}: ")
    assert str(REPOSITORY / "data" / "weights" / "demo") in notice
    assert "these demo weights know only the demo's rendered people" in notice


def test_a_second_run_skips_everything_at_once(chain, data):
    before = {file: file.stat().st_mtime_ns for file in data.rglob("*") if file.is_file()}
    begun = time.monotonic()
    for stage in CHAIN:
        flags = ["--fps", str(FPS)] if stage == "stage0-frames" else []
        again = command(stage, data, *flags)
        assert again.exit_code == 0
        assert {entry["outcome"] for entry in again.entries.values()} == {"skipped"}
    first = sum(e["seconds"] for ran in chain.ran.values() for e in ran.entries.values())
    assert time.monotonic() - begun < first / 2
    changed = [file for file, time_ns in before.items() if file.stat().st_mtime_ns != time_ns]
    assert [file.name for file in changed if file.suffix != ".lock"] == ["runs.jsonl"]
