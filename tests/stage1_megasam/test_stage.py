"""The command: frames and masks in, a world file of the contract out, one line where it cannot be.

The networks are of the smallest sizes and know nothing: what they find means nothing here.
"""

import shutil
from pathlib import Path

import cv2
import h5py
import numpy as np
import pytest
import torch
from click.testing import CliRunner, Result

from stages.artifacts.world import opened_world, point_map
from stages.flow.config import RaftConfig
from stages.flow.raft import Raft
from stages.running import ledger
from stages.running.reconstructions import current
from stages.stage1_megasam.network import DroidConfig, DroidNet
from stages.stage1_megasam.stage import main
from stages.weights.sized import save_sized
from tests.passing_texture import HEIGHT, LINES, WIDTH, depth_network, film_all_that_goes_wrong

VIDEO, FRAMES = "wälk 1.5_cam", 5
LONG_SIDE_PX = 96
"""Of what the networks see: 96x72, for 170 * 96 // 250 = 65 goes up to 72."""

SMALL = {"encoder": (4, 6, 8), "features": 8, "hidden": 8}


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """By flag."""
    torch.manual_seed(3)
    root = tmp_path_factory.mktemp("weights")
    tracker = DroidNet(DroidConfig(**SMALL, long_side_px=LONG_SIDE_PX))
    save_sized(tracker, root / "tracker.safetensors", {})
    save_sized(Raft(RaftConfig(**SMALL)), root / "raft.safetensors", {})
    return {
        "--weights": root / "tracker.safetensors",
        "--model": root / "raft.safetensors",
        "--load-from": depth_network(root / "relative", metric=False),
        "--metric-depth": depth_network(root / "metric", metric=True),
    }


def run(data: Path, weights: dict[str, Path], *more: str) -> Result:
    folders = {
        "--video-base-dir": "input_images",
        "--mask-base-dir": "input_masks",
        "--outdir": "input_megasam",
    }
    flags = [part for flag, name in folders.items() for part in (flag, str(data / name))]
    models = [part for flag, path in weights.items() for part in (flag, str(path))]
    return CliRunner().invoke(main, [*flags, *models, *more])


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory, weights: dict[str, Path]) -> Path:
    """A data folder after the command has run: one video that can be tracked, others not."""
    root = tmp_path_factory.mktemp("data")
    film_all_that_goes_wrong(root, VIDEO, FRAMES)
    result = run(root, weights, "--vis")
    assert result.exit_code == 1, result.output
    root.joinpath("said.txt").write_text(result.output)
    return root


@pytest.fixture(scope="module")
def world_file(data: Path) -> Path:
    stem = f"megasam_reconstruction_results_{VIDEO}_cam01_frame_0_{FRAMES}_subsample_1"
    return data / "input_megasam" / f"{stem}.h5"


def test_the_file_lies_where_later_stages_look(data: Path, world_file: Path) -> None:
    name = current(data, [data / "input_megasam"], VIDEO)
    assert name is not None and name.stem == world_file.stem
    assert (data / "input_megasam" / "vis" / world_file.stem / "00001.jpg").exists()


def test_every_frame_has_the_data_sets_of_the_contract(world_file: Path) -> None:
    with h5py.File(world_file) as file:
        group = file["monst3r_ga_output"]
        assert sorted(group) == [f"{number:05d}" for number in range(1, FRAMES + 1)]
        for frame in group.values():
            assert frame["rgbimg"].shape == (72, 96, 3) and frame["rgbimg"].dtype == np.uint8
            assert frame["motion_prob"].shape == (9, 12)
            assert frame["motion_prob"].dtype == np.float32
            assert frame["pts3d"].shape == (72, 96, 3)
            for name in ("depths", "conf", "msk", "dynamic_msk"):
                assert frame[name].shape == (72, 96)
            assert frame["dynamic_msk"].dtype == bool
            assert frame["cam2world"].dtype == frame["intrinsic"].dtype == np.float32
            assert frame["affine_matrix"].dtype == np.float64
            assert all(each.ndim for each in frame.values()), "readers slice every data set"
        assert not any(name.startswith("/") for name in file.attrs), "readers would take them in"


def test_pixels_lie_where_the_resize_has_put_them(world_file: Path) -> None:
    with opened_world(world_file) as (world, _):
        affine = world[world.names[0]].affine_original_from_reconstruction
        corners = np.array([[-0.5, -0.5, 1], [95.5, 71.5, 1]])
        np.testing.assert_allclose(
            corners @ affine.T, [[-0.5, -0.5], [WIDTH - 0.5, HEIGHT - 0.5]], atol=1e-9
        )


def test_people_move_and_points_are_where_cameras_and_depth_say(world_file: Path) -> None:
    with opened_world(world_file) as (world, about):
        first = world[world.names[0]]
        np.testing.assert_allclose(first.T_world_camera, np.eye(4), atol=1e-5)
        for frame in world:
            depth = frame.depth
            assert (depth >= 1e-3).all() and (depth <= 101).all()
            wanted = point_map(depth, frame.intrinsic, frame.T_world_camera)
            np.testing.assert_allclose(frame.points, wanted, rtol=1e-2, atol=1e-2)
            inside, outside = frame.dynamic[18:62, 21:45], frame.dynamic[:, 50:]
            assert inside.all() and not outside.any()
            assert (frame.motion_probability[3:7, 3:5] == 0).all(), "people are known to move"
        assert world.times_s == []
        assert about["method"] == "megasam" and about["metres_per_unit"] > 0
        assert about["windows"].tolist() == [[0, FRAMES]]
        focal = first.intrinsic[0, 0] * WIDTH / 96
        assert about["focal_px_original"] == pytest.approx(focal)


def test_the_plan_is_said_and_recorded(data: Path) -> None:
    assert f"one window of {FRAMES} frames" in (data / "said.txt").read_text()
    (done,) = [each for each in ledger.read(data) if each["outcome"] == "done"]
    assert done["details"]["windows"] == [[0, FRAMES]]


@pytest.mark.parametrize(("video", "line"), LINES.items())
def test_what_cannot_be_tracked_is_one_line_and_the_others_go_on(
    data: Path, video: str, line: str
) -> None:
    (record,) = [each for each in ledger.read(data) if each["video"] == video]
    assert record["outcome"] == "failed"
    assert line in record["reason"] and "\n" not in record["reason"]


def test_windows_that_cannot_share_frames_are_refused(
    data: Path, weights: dict[str, Path], tmp_path: Path
) -> None:
    for folder in ("input_images", "input_masks"):
        shutil.copytree(data / folder / VIDEO, tmp_path / folder / VIDEO)
    assert run(tmp_path, weights, "--window", "4").exit_code == 1
    (record,) = ledger.read(tmp_path)
    assert "windows of 4 frames cannot share 16" in record["reason"]
    assert "a larger --window" in record["reason"]


def test_a_checkpoint_that_is_not_there_is_named(
    data: Path, weights: dict[str, Path], tmp_path: Path
) -> None:
    shutil.copytree(data / "input_images" / VIDEO, tmp_path / "input_images" / VIDEO)
    missing = weights | {"--weights": tmp_path / "megasam_final.pth"}
    result = run(tmp_path, missing, "--no-gsam2")
    assert result.exit_code != 0
    said = result.output.replace("\n", " ")
    assert "megasam_final.pth" in said and "make weights CHECKPOINTS=megasam" in said


def test_without_masks_the_network_says_what_moves(
    data: Path, weights: dict[str, Path], tmp_path: Path
) -> None:
    shutil.copytree(data / "input_images" / VIDEO, tmp_path / "input_images" / VIDEO)
    assert run(tmp_path, weights, "--no-gsam2", "--end-frame", "2").exit_code == 0
    (path,) = (tmp_path / "input_megasam").glob("*.h5")
    with opened_world(path) as (world, _):
        for frame in world:
            assert frame.motion_probability is not None
            static = cv2.resize(frame.motion_probability, (96, 72))
            np.testing.assert_array_equal(frame.dynamic, static < 0.5)
