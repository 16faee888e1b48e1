"""Ground truth reads back as it was written, and what cannot be read is named."""

from dataclasses import fields

import numpy as np
import pytest

from stages.artifacts.errors import ArtifactError
from stages.artifacts.truth import TRUTH_FILE, Truth, read_truth, write_truth
from stages.geometry.block_terrain import Block, Terrain

T, P, H, W = 4, 2, 6, 8


@pytest.fixture
def truth() -> Truth:
    """Two people on stairs; sky in the upper half of the pictures."""
    rng = np.random.default_rng(0)
    depth_m = rng.uniform(1.0, 9.0, (2, H, W)).astype(np.float32)
    depth_m[:, : H // 2] = 0
    return Truth(
        name="stairs",
        kind="stairs",
        seed=3,
        fps=29.97,
        times_s=np.cumsum(rng.uniform(0.03, 0.04, T)),
        K=rng.normal(size=(3, 3)),
        T_world_camera=rng.normal(size=(T, 4, 4)),
        depth_frames=np.array([0, 3]),
        depth_m=depth_m,
        person_ids=rng.integers(0, P + 1, (T, H, W)).astype(np.uint8),
        betas=rng.normal(size=(P, 10)),
        local_rotmats=rng.normal(size=(P, T, 24, 3, 3)),
        root_m=rng.normal(size=(P, T, 3)),
        joints_m=rng.normal(size=(P, T, 45, 3)),
        contacts=rng.random((P, T, 2)) < 0.5,
        keypoints_px=rng.uniform(0, W, (P, T, 133, 2)),
        keypoint_states=rng.integers(0, 3, (P, T, 133)).astype(np.uint8),
        terrain=Terrain(
            "stairs",
            steps=(Block((1.0, 0.0), 0.15, 0.6, 0.16), Block((1.3, 0.0), 0.15, 0.6, 0.32)),
            objects=(Block((0.0, 1.5), 0.3, 0.2, 0.5, yaw_rad=0.6, bottom_m=0.1),),
            start_xy_m=(-1.0, 0.5),
            heading_rad=0.2,
            floor_half_m=6.0,
            floor_centre_xy_m=(0.5, 0.0),
        ),
    )


def test_the_record_reads_back_as_written(truth, tmp_path):
    write_truth(tmp_path, truth)
    again = read_truth(tmp_path)
    for entry in fields(Truth):
        written, read = getattr(truth, entry.name), getattr(again, entry.name)
        if entry.name == "depth_m":
            np.testing.assert_allclose(read, written, rtol=5e-4)
        elif isinstance(written, np.ndarray):
            np.testing.assert_allclose(read, written, rtol=1e-6, atol=1e-6)
        else:
            assert read == written, entry.name


def test_a_missing_record_is_named_with_what_makes_it(tmp_path):
    with pytest.raises(ArtifactError, match=r"truth\.npz: missing; render .*tools\.footage"):
        read_truth(tmp_path)


def test_a_damaged_record_is_named(truth, tmp_path):
    write_truth(tmp_path, truth)
    whole = (tmp_path / TRUTH_FILE).read_bytes()
    (tmp_path / TRUTH_FILE).write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ArtifactError, match=r"truth\.npz: damaged"):
        read_truth(tmp_path)


def test_a_record_without_one_of_its_fields_is_damaged(truth, tmp_path):
    write_truth(tmp_path, truth)
    with np.load(tmp_path / TRUTH_FILE) as file:
        stored = {name: value for name, value in file.items() if name != "contacts"}
    np.savez(tmp_path / TRUTH_FILE, **stored)
    with pytest.raises(ArtifactError, match=r"truth\.npz: damaged .*contacts"):
        read_truth(tmp_path)
