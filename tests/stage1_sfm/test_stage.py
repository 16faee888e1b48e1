"""The command: frames and masks in, a world file of the contract out."""

import shutil

import h5py
import numpy as np
import pytest
from click.testing import CliRunner

from stages.artifacts.curation import Decision
from stages.artifacts.images import write_image
from stages.artifacts.masks import write_frame
from stages.artifacts.world import opened_world
from stages.geometry.alignment import align
from stages.running.curation import save_decision
from stages.running.reconstructions import current
from stages.stage1_sfm.stage import main

VIDEO = "wälk 1.5_cam"
FRAMES = 12


@pytest.fixture(scope="module")
def data(place, walk, tmp_path_factory):
    """A data folder with one video whose masks cover a corner, after the command has run."""
    root = tmp_path_factory.mktemp("data")
    for number, T in enumerate(walk[:FRAMES], 1):
        image, _ = place.look(T)
        ids = np.zeros(image.shape, np.uint16)
        ids[100:160, 20 * number : 20 * number + 30] = 1
        folder = root / "input_images" / VIDEO / "cam01"
        write_image(folder / f"{number:05d}.jpg", np.repeat(image[..., None], 3, 2))
        write_frame(root / "input_masks" / VIDEO / "cam01", f"{number:05d}", ids, {1: 1.0})
    return root


def run(data, *more: str):
    folders = {
        "--video-base-dir": "input_images",
        "--mask-base-dir": "input_masks",
        "--outdir": "input_sfm",
    }
    flags = [part for flag, name in folders.items() for part in (flag, str(data / name))]
    return CliRunner().invoke(main, [*flags, *more])


@pytest.fixture(scope="module")
def world_file(data):
    result = run(data, "--vis")
    assert result.exit_code == 0, result.output
    assert "12 of 12 frames registered" in result.output
    return (
        data / "input_sfm" / (f"sfm_reconstruction_results_{VIDEO}_cam01_frame_0_12_subsample_1.h5")
    )


@pytest.mark.slow
def test_the_file_lies_where_later_stages_look(data, world_file):
    assert current(data, [data / "input_sfm"], VIDEO).stem == world_file.stem
    assert (data / "input_sfm" / "vis" / world_file.stem / "00001.jpg").exists()


@pytest.mark.slow
def test_every_frame_has_the_data_sets_of_the_contract(world_file):
    with h5py.File(world_file) as file:
        group = file["monst3r_ga_output"]
        assert sorted(group) == [f"{number:05d}" for number in range(1, FRAMES + 1)]
        for frame in group.values():
            size = frame["depths"].shape
            assert max(size) == 512 and size[0] % 8 == size[1] % 8 == 0
            for name, kind in [
                ("rgbimg", np.uint8), ("pts3d", np.float32), ("conf", np.float32),
                ("dynamic_msk", bool), ("msk", bool),
            ]:  # fmt: skip
                assert frame[name].shape[:2] == size and frame[name].dtype == kind
            assert frame["cam2world"].dtype == frame["intrinsic"].dtype == np.float32
            assert frame["affine_matrix"].dtype == np.float64


@pytest.mark.slow
def test_depth_is_true_up_to_one_scale_also_behind_people(place, walk, world_file):
    with opened_world(world_file) as (frames, _):
        centres = frames.Ts_world_camera[:, :3, 3]
        scale, _, _ = align(centres, walk[:FRAMES, :3, 3])
        for index in (0, 5, 11):
            frame = frames[frames.names[index]]
            height, width = frame.size
            affine = frame.affine_original_from_reconstruction
            x, y = np.meshgrid(np.arange(width), np.arange(height))
            original = np.rint(np.stack([x, y, np.ones_like(x)], -1) @ affine.T).astype(int)
            columns = original[..., 0].clip(0, place.width - 1)
            rows = original[..., 1].clip(0, place.height - 1)
            true = place.look(walk[index])[1][rows, columns]
            depth, people = frame.depth, frame.dynamic
            error = np.abs(scale * depth / true - 1)
            assert np.median(error[(depth > 0) & ~people]) < 0.01
            assert (depth > 0)[~people].mean() > 0.8
            if index == 5:
                assert (depth > 0)[people].mean() > 0.6
                assert np.median(error[(depth > 0) & people]) < 0.015


@pytest.mark.slow
def test_confidence_is_zero_in_holes_and_at_most_half_on_people(world_file):
    with opened_world(world_file) as (frames, _):
        for frame in frames:
            depth, confidence, people = frame.depth, frame.confidence, frame.dynamic
            assert ((confidence > 0) == (depth > 0)).all()
            assert confidence.max() <= 1 and confidence[people].max() <= 0.5
            assert np.isfinite(frame.points).all()
            assert (frame.measured == ((depth > 0) & ~people)).all()


@pytest.mark.slow
def test_a_second_run_skips_and_another_range_is_another_file(data, world_file):
    assert "skipped" in run(data).output
    result = run(data, "--end-frame", "5")
    assert result.exit_code == 1
    assert "gives 5 frames" in result.output


@pytest.mark.parametrize(("first", "last", "left"), [(8, None, 4), (None, 4, 5), (3, 8, 6)])
def test_a_trim_leaves_so_many_frames_where_it_is_asked_for(data, tmp_path, first, last, left):
    for folder in ("input_images", "input_masks"):
        shutil.copytree(data / folder, tmp_path / folder)
    save_decision(tmp_path, VIDEO, Decision("keep", first_frame=first, last_frame=last))
    assert f"gives {left} frames" in run(tmp_path, "--curated").output


def test_a_missing_mask_folder_names_the_stage_that_makes_it(place, walk, tmp_path):
    image, _ = place.look(walk[0])
    picture = np.repeat(image[..., None], 3, 2)
    write_image(tmp_path / "input_images" / "a" / "cam01" / "00001.jpg", picture)
    result = run(tmp_path)
    assert result.exit_code == 1
    assert "stage0-sam2" in result.output
