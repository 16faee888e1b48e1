"""The command on small clips with an untrained network: who has contacts in which frame."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner, Result

from stages.artifacts.contacts import read_contacts
from stages.artifacts.images import write_image
from stages.artifacts.masks import read_labels, summarise, write_frame, write_summary
from stages.running import VideoError
from stages.stage0_bstro.checkpoint import load_demo_network, save_network
from stages.stage0_bstro.network import Bstro, BstroConfig
from stages.stage0_bstro.stage import BstroStage, main

LARGE_PERSON, SMALL_PERSON = 2, 5


@pytest.fixture(scope="module")
def network() -> Bstro:
    torch.manual_seed(1)
    config = replace(
        BstroConfig.demo(), stem=8, stage1=4, width=4, blocks=1, head=2, image_features=16
    )
    network = Bstro(torch.randn(config.coarse_vertices, 3), config).eval()
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            torch.nn.init.uniform_(module.running_var, 0.05, 0.2)
    return network


@pytest.fixture(scope="module")
def checkpoint(network: Bstro, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("weights") / "bstro.safetensors"
    save_network(network, path, {"made_by": "a test"})
    return path


def make_clip(data: Path, video: str, frames: int, large: set[int], small: set[int]) -> None:
    """Pictures and masks; `large` and `small` are the frame numbers in which a person is seen."""
    rng = np.random.default_rng(0)
    seen = []
    masks = data / "input_masks" / video / "cam01"
    for number in range(1, frames + 1):
        stem = f"{number:05d}"
        picture = rng.integers(0, 255, (96, 128, 3), dtype=np.uint8)
        write_image(data / "input_images" / video / "cam01" / f"{stem}.jpg", picture)
        ids = np.zeros((96, 128), np.uint16)
        if number in large:
            ids[10:90, 20 + number : 60 + number] = LARGE_PERSON
        if number in small:
            ids[30:60, 5:15] = SMALL_PERSON
        write_frame(masks, stem, ids, {LARGE_PERSON: 0.9, SMALL_PERSON: 0.8})
        seen.append(read_labels(masks, stem))
    write_summary(masks, summarise(seen))


def run(data: Path, checkpoint: Path, *flags: str) -> Result:
    return CliRunner().invoke(
        main,
        ["--model-checkpoint", str(checkpoint), *flags],
        env={"MIMICMILL_DATA": str(data), "COLUMNS": "200"},
    )


def folder(data: Path) -> Path:
    return data / "input_contacts" / "clip" / "cam01"


def test_a_saved_small_network_comes_back(network: Bstro, checkpoint: Path) -> None:
    again = load_demo_network(checkpoint)
    assert again.config == network.config
    crops = torch.randn(2, 3, 224, 224)
    with torch.inference_mode():
        before, after = network(crops).full, again(crops).full
    assert (after - before).abs().max() < 0.02 * before.std() + 1e-3


def test_the_demo_network_stays_small() -> None:
    config = BstroConfig.demo()
    network = Bstro(torch.zeros(config.coarse_vertices, 3), config)
    assert sum(p.numel() for p in network.parameters()) <= 2_400_000


def test_everybody_has_contacts_with_or_without_multihuman(
    tmp_path: Path, checkpoint: Path
) -> None:
    make_clip(tmp_path, "clip", 3, large={1, 2, 3}, small={2})
    for flags in ((), ("--multihuman",)):
        assert run(tmp_path, checkpoint, *flags).exit_code == 0
        found = [read_contacts(folder(tmp_path), f"{n:05d}") for n in (1, 2, 3)]
        people = [set(entry) for entry in found if entry is not None]
        assert people == [{LARGE_PERSON}, {LARGE_PERSON, SMALL_PERSON}, {LARGE_PERSON}]


def test_top_k_leaves_smaller_people_out(tmp_path: Path, checkpoint: Path) -> None:
    make_clip(tmp_path, "clip", 2, large={1, 2}, small={1, 2})
    assert run(tmp_path, checkpoint, "--multihuman", "--top-k", "1").exit_code == 0
    found = read_contacts(folder(tmp_path), "00001")
    assert found is not None and set(found) == {LARGE_PERSON}


def test_a_frame_without_people_is_known_to_have_no_contacts(
    tmp_path: Path, checkpoint: Path
) -> None:
    make_clip(tmp_path, "clip", 3, large={1, 3}, small=set())
    assert run(tmp_path, checkpoint).exit_code == 0
    assert read_contacts(folder(tmp_path), "00002") == {}


def test_the_batch_size_changes_nothing(tmp_path: Path, checkpoint: Path) -> None:
    make_clip(tmp_path, "clip", 3, large={1, 2, 3}, small={1, 2, 3})
    results = []
    for size in ("1", "4"):
        assert run(tmp_path, checkpoint, "--batch-size", size, "--no-skip-existing").exit_code == 0
        contacts = read_contacts(folder(tmp_path), "00002")
        assert contacts is not None
        results.append({person: entry.vertices for person, entry in contacts.items()})
    for person in (LARGE_PERSON, SMALL_PERSON):
        np.testing.assert_allclose(results[0][person], results[1][person], atol=1e-5)
    assert np.abs(results[0][LARGE_PERSON] - results[0][SMALL_PERSON]).max() > 1e-4


def test_a_clip_without_people_says_what_to_do(tmp_path: Path, checkpoint: Path) -> None:
    make_clip(tmp_path, "clip", 1, large=set(), small=set())
    result = run(tmp_path, checkpoint)
    assert result.exit_code == 1
    assert "clip has no people; if some are to be seen" in result.output


def test_other_thresholds_make_an_old_result_stale(tmp_path: Path, checkpoint: Path) -> None:
    make_clip(tmp_path, "clip", 1, large={1}, small=set())
    assert run(tmp_path, checkpoint).exit_code == 0
    assert "skipped" in run(tmp_path, checkpoint).output
    result = run(tmp_path, checkpoint, "--contact-thr", "0")
    assert "contact_thr changed from 0.95 to 0.0" in result.output
    found = read_contacts(folder(tmp_path), "00001")
    assert found is not None
    assert found[LARGE_PERSON].left_foot and found[LARGE_PERSON].right_foot


@pytest.mark.parametrize("touching", ["left", "right"])
def test_the_foot_whose_vertices_touch_is_the_one_in_contact(
    tmp_path: Path, checkpoint: Path, touching: str
) -> None:
    make_clip(tmp_path, "clip", 1, large={1}, small=set())
    assert run(tmp_path, checkpoint).exit_code == 0
    first = read_contacts(folder(tmp_path), "00001")
    assert first is not None
    probability = first[LARGE_PERSON].vertices[:, 0]
    order = np.argsort(probability).tolist()
    surest, least_sure = order[-10:], order[:10]
    feet = {"leftFoot": surest, "rightFoot": least_sure}
    if touching == "right":
        feet = {"leftFoot": least_sure, "rightFoot": surest}
    segmentation = tmp_path / "segmentation.json"
    segmentation.write_text(json.dumps(feet))
    between = ("--contact-thr", str(float(np.median(probability))))
    result = run(tmp_path, checkpoint, "--foot-segmentation", str(segmentation), *between)
    assert result.exit_code == 0, result.output
    found = read_contacts(folder(tmp_path), "00001")
    assert found is not None
    contact = found[LARGE_PERSON]
    assert (contact.left_foot, contact.right_foot) == (touching == "left", touching == "right")
    share = {side: 100 if side == touching else 0 for side in ("left", "right")}
    line = f"left foot in contact in {share['left']} %, right in {share['right']} %"
    assert line in " ".join(result.output.split())


def test_the_official_network_needs_its_data_files(tmp_path: Path) -> None:
    make_clip(tmp_path, "clip", 1, large={1}, small=set())
    torch.save({}, tmp_path / "official.bin")
    result = run(tmp_path, tmp_path / "official.bin")
    assert result.exit_code == 1
    assert "mesh_downsampling.npz: missing" in result.output


def test_pictures_are_only_added(tmp_path: Path, checkpoint: Path) -> None:
    make_clip(tmp_path, "clip", 1, large={1}, small=set())
    assert run(tmp_path, checkpoint, "--vis").exit_code == 0
    assert (folder(tmp_path) / "vis" / "00001.jpg").exists()
    assert (folder(tmp_path) / "00001.pkl").exists()


@pytest.mark.parametrize("number", [np.nan, np.inf])
def test_numbers_that_are_not_finite_are_no_result(tmp_path: Path, number: float) -> None:
    stage = BstroStage(model_checkpoint=tmp_path / "mine.safetensors")
    with pytest.raises(VideoError, match="BSTRO gives numbers that are not finite; try another"):
        stage.checked(np.array([0.5, number]))
    assert stage.checked(np.array([0.5])) == 0.5
