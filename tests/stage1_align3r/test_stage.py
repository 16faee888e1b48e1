"""The command: frames and masks in, a world file of the contract out, one line where it cannot be.

The networks are of the smallest sizes and know nothing: what they find means nothing here.
"""

import shutil
from dataclasses import replace
from pathlib import Path

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
from stages.stage1_align3r.inference import point_maps
from stages.stage1_align3r.network import Align3rNet
from stages.stage1_align3r.stage import main
from stages.weights.sized import save_sized
from tests.passing_texture import (
    HEIGHT,
    LINES,
    WIDTH,
    depth_network,
    film,
    film_all_that_goes_wrong,
    pictures,
)
from tests.stage1_align3r.small import SMALL

VIDEO, FRAMES = "wälk 1.5_cam", 4
HIGH, WIDE = 64, 96
"""Of what the network sees: of 250x170, 96x65, of which the middle rows are kept."""


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """By flag."""
    torch.manual_seed(3)
    root = tmp_path_factory.mktemp("weights")
    save_sized(Align3rNet(replace(SMALL, long_side_px=WIDE)), root / "align3r.safetensors", {})
    small = RaftConfig(encoder=(4, 6, 8), features=8, hidden=8)
    save_sized(Raft(small), root / "raft.safetensors", {})
    return {
        "--model-path": root / "align3r.safetensors",
        "--raft": root / "raft.safetensors",
        "--metric-depth": depth_network(root / "metric", metric=True),
    }


def run(data: Path, weights: dict[str, Path], *more: str) -> Result:
    folders = {
        "--video-base-dir": "input_images",
        "--mask-base-dir": "input_masks",
        "--outdir": "input_align3r",
    }
    flags = [part for flag, name in folders.items() for part in (flag, str(data / name))]
    models = [part for flag, path in weights.items() for part in (flag, str(path))]
    return CliRunner().invoke(main, [*flags, *models, "--niter", "10", *more])


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory, weights: dict[str, Path]) -> Path:
    """A data folder after the command has run; one picture of the good video is there twice."""
    root = tmp_path_factory.mktemp("data")
    film_all_that_goes_wrong(root, VIDEO, FRAMES)
    first, second, third = pictures(3)
    film(root, VIDEO, [first, second, second, third])
    film(root, "thread", [each[:20] for each in pictures(2)], masks=False)
    shutil.copytree(root / "input_masks" / VIDEO, root / "input_masks" / "thread")
    result = run(root, weights, "--vis")
    assert result.exit_code == 1, result.output
    return root


def copied(data: Path, to: Path, *folders: str) -> Path:
    for folder in folders:
        shutil.copytree(data / folder / VIDEO, to / folder / VIDEO)
    return to


@pytest.fixture(scope="module")
def world_file(data: Path) -> Path:
    stem = f"align3r_reconstruction_results_{VIDEO}_cam01_frame_0_{FRAMES}_subsample_1"
    return data / "input_align3r" / f"{stem}.h5"


def test_the_file_lies_where_later_stages_look(data: Path, world_file: Path) -> None:
    name = current(data, [data / "input_align3r"], VIDEO)
    assert name is not None and name.stem == world_file.stem
    assert (data / "input_align3r" / "vis" / world_file.stem / "00001.jpg").exists()


def test_every_frame_has_the_data_sets_of_the_contract(world_file: Path) -> None:
    with h5py.File(world_file) as file:
        group = file["monst3r_ga_output"]
        assert sorted(group) == [f"{number:05d}" for number in range(1, FRAMES + 1)]
        for frame in group.values():
            assert frame["rgbimg"].shape == frame["pts3d"].shape == (HIGH, WIDE, 3)
            for name in ("depths", "conf", "msk", "dynamic_msk"):
                assert frame[name].shape == (HIGH, WIDE)
            assert frame["dynamic_msk"].dtype == frame["msk"].dtype == bool
            assert frame["cam2world"].dtype == frame["intrinsic"].dtype == np.float32
            assert frame["affine_matrix"].dtype == np.float64
            assert "motion_prob" not in frame
            np.testing.assert_array_equal(frame["msk"][:], frame["conf"][:] > 3)
            assert all(each.ndim for each in frame.values()), "readers slice every data set"
        assert not any(name.startswith("/") for name in file.attrs), "readers would take them in"


def test_stage_2_reads_cameras_points_and_who_moves(world_file: Path) -> None:
    with opened_world(world_file) as (world, about):
        first = world[world.names[0]]
        np.testing.assert_allclose(first.T_world_camera, np.eye(4), atol=1e-5)
        for frame in world:
            wanted = point_map(frame.depth, frame.intrinsic, frame.T_world_camera)
            np.testing.assert_allclose(frame.points, wanted, rtol=1e-2, atol=1e-2)
            # The mask of 50 to 120 and of 40 to 150, by 96 / 250.
            assert frame.dynamic[16:56, 21:45].all()
            assert not frame.dynamic[:, 50:].any() and not frame.dynamic[:12].any()
        assert about["method"] == "align3r"
        assert about["focal_px_original"] == pytest.approx(first.intrinsic[0, 0] * WIDTH / WIDE)


def test_pixels_lie_where_the_crop_has_put_them(world_file: Path) -> None:
    with opened_world(world_file) as (world, _):
        affine = world[world.names[0]].affine_original_from_reconstruction
        left, right = (np.array([x, 31.5, 1]) @ affine.T for x in (-0.5, WIDE - 0.5))
        np.testing.assert_allclose([left[0], right[0]], [-0.5, WIDTH - 0.5], atol=1e-9)
        # 65 rows, of which the last is left out.
        np.testing.assert_allclose(left[1], 32 * HEIGHT / 65 - 0.5, atol=1e-9)


@pytest.mark.parametrize(
    ("video", "line"), [*LINES.items(), ("thread", "cut the video to a less narrow shape")]
)
def test_what_cannot_be_aligned_is_one_line(data: Path, video: str, line: str) -> None:
    (record,) = [each for each in ledger.read(data) if each["video"] == video]
    assert record["outcome"] == "failed"
    assert line in record["reason"] and "\n" not in record["reason"]


def test_the_others_are_done(data: Path) -> None:
    (record,) = [each for each in ledger.read(data) if each["outcome"] == "done"]
    assert record["video"] == VIDEO
    assert (record["details"]["frames"], record["details"]["pairs"]) == (FRAMES, 8)


def test_frames_that_memory_does_not_hold_are_one_line(
    data: Path, weights: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copied(data, tmp_path, "input_images", "input_masks")
    free = int(1.34 * 2**30)
    monkeypatch.setattr("stages.stage1_align3r.stage.free_bytes", lambda device: free)
    assert run(tmp_path, weights, "--no-batchify").exit_code == 1
    (record,) = ledger.read(tmp_path)
    assert "4 frames are too many to align together: 1.3 GiB" in record["reason"]
    assert "for 3; use --stride 2," in record["reason"]
    assert run(tmp_path, weights, "--batch-size", "2").exit_code == 0


def test_a_checkpoint_that_is_not_there_is_named_with_what_brings_it(
    data: Path, weights: dict[str, Path], tmp_path: Path
) -> None:
    copied(data, tmp_path, "input_images")
    missing = weights | {"--model-path": tmp_path / "align3r" / "model.safetensors"}
    result = run(tmp_path, missing, "--no-gsam2")
    assert result.exit_code != 0
    said = result.output.replace("\n", " ")
    assert "model.safetensors is missing" in said
    assert "make weights CHECKPOINTS=align3r ACCEPT_LICENSES=CC-BY-NC-SA" in said


def test_without_masks_flow_says_what_moves(
    data: Path, weights: dict[str, Path], tmp_path: Path
) -> None:
    losses = []
    for name, more in (("held", []), ("free", ["--no-flow-loss"])):
        root = copied(data, tmp_path / name, "input_images")
        assert run(root, weights, "--no-gsam2", "--end-frame", "2", *more).exit_code == 0
        (record,) = ledger.read(root)
        losses.append(record["details"]["loss"])
        assert 0 < record["details"]["moving_share"] < 1
    assert losses[0][0] == losses[1][0] and losses[0][1] != losses[1][1]


@pytest.mark.parametrize(
    ("more", "at_once"), [([], 16), (["--batch-size", "3"], 3), (["--no-batchify"], 8)]
)
def test_the_network_looks_at_few_pairs_or_at_all(
    data: Path,
    weights: dict[str, Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    more: list[str],
    at_once: int,
) -> None:
    seen = []

    def watched(network, pictures, priors, pairs, at_once):
        seen.append(at_once)
        return point_maps(network, pictures, priors, pairs, at_once)

    monkeypatch.setattr("stages.stage1_align3r.reconstruction.point_maps", watched)
    copied(data, tmp_path, "input_images", "input_masks")
    assert run(tmp_path, weights, "--niter", "1", *more).exit_code == 0
    assert seen == [at_once]
