"""Stage 3 from a stage-2 file to a levelled, meshed place."""

import sys
from pathlib import Path

import h5py
import numpy as np
import pytest
import trimesh
from click.testing import CliRunner

sys.path.insert(0, str(Path(__file__).parent))
from room import BOX_TOP_M, FLOOR_BELOW_ORIGIN_M, FRAMES, STEM, write_room

from stages.artifacts.calibrated_keypoints import read_calibrated_keypoints
from stages.artifacts.people_and_world import opened_people_and_world
from stages.geometry.rotations import matrix_from_rotvec
from stages.running import ledger
from stages.stage3_postprocess.stage import main

R_STAGE2_ZUP = matrix_from_rotvec(np.array([1.3, 0.2, -0.1]))


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    data = tmp_path_factory.mktemp("room")
    write_room(data, R_STAGE2_ZUP)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MIMICMILL_DATA", str(data))
        result = CliRunner().invoke(main, [])
    assert result.exit_code == 0, result.output
    return data / "output_calib_mesh" / f"megahunter_{STEM}"


def test_up_is_z_within_half_a_degree(done):
    R_zup_stage2 = read_calibrated_keypoints(done / "gravity_calibrated_keypoints.h5").R_zup_stage2
    up = R_zup_stage2 @ R_STAGE2_ZUP @ [0, 0, 1]
    assert np.degrees(np.arctan2(np.hypot(up[0], up[1]), up[2])) < 0.5


def test_the_mesh_is_the_room_where_it_was_seen(done):
    mesh = trimesh.load(done / "background_mesh.obj")
    assert isinstance(mesh, trimesh.Trimesh)
    assert mesh.body_count == 1
    near = mesh.vertices[np.hypot(mesh.vertices[:, 0], mesh.vertices[:, 1] - 3.5) < 0.4]
    floor = near[np.abs(near[:, 2] + FLOOR_BELOW_ORIGIN_M) < 0.2]
    assert abs(np.median(floor[:, 2]) + FLOOR_BELOW_ORIGIN_M) < 0.01
    x, y = np.abs(mesh.vertices[:, 0] - 0.8) < 0.25, np.abs(mesh.vertices[:, 1] - 3.5) < 0.25
    top = mesh.vertices[x & y]
    assert abs(np.median(top[:, 2]) - (BOX_TOP_M - FLOOR_BELOW_ORIGIN_M)) < 0.015


def test_the_floor_under_the_person_has_no_hole(done):
    mesh = trimesh.load(done / "background_mesh.obj")
    places = np.stack(np.meshgrid(np.linspace(-0.5, 0.2, 15), np.linspace(3, 4, 15)), -1)
    origins = np.column_stack([places.reshape(-1, 2), np.full(225, 2.0)])
    _, rays, _ = mesh.ray.intersects_location(origins, np.tile([0, 0, -1.0], (225, 1)))
    assert len(np.unique(rays)) == 225


def test_files_are_as_the_contract_says(done):
    with h5py.File(done / "gravity_calibrated_keypoints.h5") as file:
        assert file["joints/1"].shape == (FRAMES, 45, 3)
        assert file["root_orient/1"].shape == (FRAMES, 1, 3, 3)
        assert len(file.attrs["/joint_names"]) == 45
    with h5py.File(done / "gravity_calibrated_megahunter.h5") as file:
        names = file["person_frame_info_list/1"][:]
        assert names.shape == (FRAMES, 1)
        assert names[0, 0] == b"00001"
        assert file["our_pred_humans_smplx_params/1/root_transl"].shape == (FRAMES, 1, 3)
        assert not [name for name in file.attrs if name.startswith("/")]
    cloud = trimesh.load(done / "background_more_filtered_colored_pointcloud.ply")
    assert isinstance(cloud, trimesh.PointCloud)
    assert np.asarray(cloud.colors).shape[1] == 4


def test_people_stand_upright_on_the_floor(done):
    keypoints = read_calibrated_keypoints(done / "gravity_calibrated_keypoints.h5")
    joints = keypoints.people[1].joints
    assert (joints[:, 12, 2] - joints[:, 0, 2] > 0.4).all()
    with opened_people_and_world(done / "gravity_calibrated_megahunter.h5") as file:
        assert np.allclose(file.people[1].root_transl, joints[:, 0], atol=1e-4)


def test_a_world_without_ground_fails_with_a_reason(tmp_path, monkeypatch):
    path = write_room(tmp_path, np.eye(3))
    with h5py.File(path, "r+") as file:
        for frame in file["our_pred_world_cameras_and_structure"].values():
            frame["conf"][:] = 0
    monkeypatch.setenv("MIMICMILL_DATA", str(tmp_path))
    result = CliRunner().invoke(main, [])
    assert result.exit_code == 1
    reason = ledger.read(tmp_path)[-1]["reason"]
    assert "static points" in reason
    assert "--gradient-thr" in reason
