"""The command on small clips with an untrained network: who gets a body in which frame."""

from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner, Result

from stages.artifacts.bodies import read_bodies
from stages.artifacts.images import write_image
from stages.artifacts.masks import read_labels, summarise, write_frame, write_summary
from stages.stage0_vimo.checkpoint import save_network
from stages.stage0_vimo.network import Vimo, VimoConfig
from stages.stage0_vimo.stage import main

SMALL = VimoConfig(
    dim=16, depth=1, heads=2, mlp_ratio=1.0, spacetime_dim=8, spacetime_depth=1,
    spacetime_feedforward=8, motion_dim=8, motion_depth=1, motion_feedforward=8,
    head_dim=8, head_depth=1, head_heads=2, head_attention_dim=4, head_feedforward=8,
)  # fmt: skip
LARGE_PERSON, SMALL_PERSON = 2, 5


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.manual_seed(1)
    path = tmp_path_factory.mktemp("weights") / "vimo.safetensors"
    save_network(Vimo(SMALL), path, {})
    return path


def make_clip(data: Path, video: str, frames: int, large: set[int], small: set[int]) -> None:
    """Pictures and masks; `large` and `small` are the frame numbers in which a person is seen."""
    rng = np.random.default_rng(0)
    seen = []
    masks = data / "input_masks" / video / "cam01"
    for number in range(1, frames + 1):
        picture = rng.integers(0, 255, (96, 128, 3), dtype=np.uint8)
        write_image(data / "input_images" / video / "cam01" / f"{number:05d}.jpg", picture)
        ids = np.zeros((96, 128), np.uint16)
        if number in large:
            ids[10:90, 20 + number : 60 + number] = LARGE_PERSON
        if number in small:
            ids[30:60, 5:15] = SMALL_PERSON
        scores = {LARGE_PERSON: 0.9, SMALL_PERSON: 0.8}
        write_frame(masks, f"{number:05d}", ids, scores)
        seen.append(read_labels(masks, f"{number:05d}"))
    write_summary(masks, summarise(seen))


def run(data: Path, checkpoint: Path, *flags: str) -> Result:
    return CliRunner().invoke(
        main,
        ["--model-checkpoint", str(checkpoint), *flags],
        env={"MIMICMILL_DATA": str(data), "COLUMNS": "200"},
    )


def bodies(data: Path, video: str, frames: int) -> list[set[int]]:
    folder = data / "input_3d_meshes" / video / "cam01"
    return [set(read_bodies(folder, number)) for number in range(1, frames + 1)]


def test_the_largest_person_alone_is_followed(tmp_path: Path, checkpoint: Path) -> None:
    make_clip(tmp_path, "clip", 18, large=set(range(1, 19)), small=set(range(1, 19)))
    result = run(tmp_path, checkpoint)
    assert result.exit_code == 0, result.output
    assert bodies(tmp_path, "clip", 18) == [{LARGE_PERSON}] * 18


def test_several_people_have_bodies_of_their_own(tmp_path: Path, checkpoint: Path) -> None:
    make_clip(tmp_path, "clip", 17, large=set(range(1, 18)), small=set(range(1, 18)))
    assert run(tmp_path, checkpoint, "--multihuman").exit_code == 0
    folder = tmp_path / "input_3d_meshes" / "clip" / "cam01"
    both = read_bodies(folder, 9)
    assert set(both) == {LARGE_PERSON, SMALL_PERSON}
    different = both[LARGE_PERSON].body_pose - both[SMALL_PERSON].body_pose
    assert np.abs(different).max() > 0
    assert run(tmp_path, checkpoint).exit_code == 0
    alone = read_bodies(folder, 9)[LARGE_PERSON]
    np.testing.assert_allclose(alone.body_pose, both[LARGE_PERSON].body_pose, atol=1e-5)


def test_top_k_keeps_the_largest(tmp_path: Path, checkpoint: Path) -> None:
    make_clip(tmp_path, "clip", 3, large={1, 2, 3}, small={1, 2, 3})
    assert run(tmp_path, checkpoint, "--multihuman", "--top-k", "1").exit_code == 0
    assert bodies(tmp_path, "clip", 3) == [{LARGE_PERSON}] * 3


def test_a_short_clip_gets_bodies_and_says_so(tmp_path: Path, checkpoint: Path) -> None:
    make_clip(tmp_path, "clip", 5, large=set(range(1, 6)), small=set())
    result = run(tmp_path, checkpoint)
    assert "1 stretches under 16 frames were padded" in result.output
    assert bodies(tmp_path, "clip", 5) == [{LARGE_PERSON}] * 5


def test_frames_without_the_person_have_no_file(tmp_path: Path, checkpoint: Path) -> None:
    make_clip(tmp_path, "clip", 8, large={2, 3, 4, 7, 8}, small=set())
    assert run(tmp_path, checkpoint).exit_code == 0
    names = sorted(path.name for path in (tmp_path / "input_3d_meshes/clip/cam01").iterdir())
    assert names == [f"smpl_params_{number:05d}.pkl" for number in (2, 3, 4, 7, 8)]


def test_a_clip_without_people_fails_alone(tmp_path: Path, checkpoint: Path) -> None:
    make_clip(tmp_path, "empty street", 2, large=set(), small=set())
    make_clip(tmp_path, "ünï.code v2_cam", 2, large={1, 2}, small=set())
    result = run(tmp_path, checkpoint)
    assert result.exit_code == 1
    assert "empty street has no people; if some are to be seen" in result.output
    assert bodies(tmp_path, "ünï.code v2_cam", 2) == [{LARGE_PERSON}] * 2


def test_pictures_change_no_number(tmp_path: Path, checkpoint: Path) -> None:
    make_clip(tmp_path, "clip", 2, large={1, 2}, small=set())
    assert run(tmp_path, checkpoint).exit_code == 0
    folder = tmp_path / "input_3d_meshes" / "clip" / "cam01"
    plain = read_bodies(folder, 1)[LARGE_PERSON].body_pose
    assert run(tmp_path, checkpoint, "--vis").exit_code == 0
    assert (folder / "vis" / "smpl_params_00001.jpg").exists()
    np.testing.assert_array_equal(read_bodies(folder, 1)[LARGE_PERSON].body_pose, plain)


def test_missing_masks_name_the_stage_that_makes_them(tmp_path: Path, checkpoint: Path) -> None:
    make_clip(tmp_path, "clip", 2, large={1, 2}, small=set())
    (tmp_path / "input_masks" / "clip" / "cam01" / "meta_data.json").unlink()
    result = run(tmp_path, checkpoint)
    assert result.exit_code == 1
    assert "run stage0-sam2 or stage0-blazepose first" in result.output


def test_a_wrong_checkpoint_is_named(tmp_path: Path) -> None:
    make_clip(tmp_path, "clip", 2, large={1, 2}, small=set())
    wrong = tmp_path / "other.pth.tar"
    torch.save({"model": {"backbone.pos_embed": torch.zeros(1)}}, wrong)
    result = run(tmp_path, wrong)
    assert result.exit_code == 1
    assert "other.pth.tar is no VIMO: " in " ".join(result.output.split())
    assert "done" not in result.output and "Traceback" not in result.output
