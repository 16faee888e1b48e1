"""Folders in the layout of transformers, and the demo's: loaded whole, or refused in one line."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from stages.artifacts.errors import ArtifactError
from stages.weights.errors import WeightsError
from stages.weights.grounding_dino import load_grounding_dino
from stages.weights.locate import demo_checkpoint, is_demo
from stages.weights.sam2 import load_sam2
from stages.weights.vitpose import load_vitpose

LOADERS = {"grounding_dino": load_grounding_dino, "sam2": load_sam2, "vitpose": load_vitpose}
FILE = "model.safetensors"


def test_demo_checkpoints_are_known_as_such() -> None:
    assert is_demo(demo_checkpoint("sam2"))
    assert is_demo(Path("/weights/demo/vimo/vimo.safetensors")), "wherever they lie"
    assert not is_demo(Path("/somewhere/sam2.1_hiera_large.pt"))


@pytest.fixture(params=LOADERS)
def network(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def folder(network: str, tmp_path: Path) -> Path:
    return copied(network, tmp_path)


def copied(network: str, tmp_path: Path) -> Path:
    return Path(shutil.copytree(demo_checkpoint(network), tmp_path / network))


def refusal(load: Callable[[Path], Any], folder: Path, name: str = FILE) -> str:
    with pytest.raises((WeightsError, ArtifactError)) as error:
        load(folder)
    said = str(error.value)
    assert "\n" not in said and name in said
    assert len(said) < 200 or isinstance(error.value, ArtifactError), "which shows whole paths"
    return said


def changed(folder: Path, **new: Any) -> None:
    """Writes a folder's weights anew with other tensors; None leaves one out."""
    state = load_file(folder / FILE) | new
    save_file({key: value for key, value in state.items() if value is not None}, folder / FILE)


def a_key(folder: Path) -> str:
    return max(load_file(folder / FILE), key=len)


def test_a_missing_key_is_named(network: str, folder: Path) -> None:
    changed(folder, **{(key := a_key(folder)): None})
    said = refusal(LOADERS[network], folder)
    assert "found none" in said and key[-20:] in said


def test_an_extra_key_is_named(network: str, folder: Path) -> None:
    changed(folder, **{"head.of.something.else": torch.zeros(7)})
    said = refusal(LOADERS[network], folder)
    assert "has no head.of.something.else: expected none, found (7,)" in said


def test_another_shape_is_said(network: str, folder: Path) -> None:
    changed(folder, **{(key := a_key(folder)): torch.zeros(3, 1)})
    said = refusal(LOADERS[network], folder)
    assert "found (3, 1)" in said and key[-20:] in said


def test_nan_inside_is_said(network: str, folder: Path) -> None:
    key = a_key(folder)
    changed(folder, **{key: torch.full_like(load_file(folder / FILE)[key], float("nan"))})
    assert refusal(LOADERS[network], folder).endswith("NaN or infinite")


def test_another_networks_weights_are_refused(network: str, folder: Path) -> None:
    other = "vitpose" if network == "sam2" else "sam2"
    shutil.copy(demo_checkpoint(other) / FILE, folder / FILE)
    assert "lacks" in refusal(LOADERS[network], folder)


def test_weights_that_are_cut_short_are_said(network: str, folder: Path) -> None:
    (folder / FILE).write_bytes((folder / FILE).read_bytes()[:100_000])
    assert "is cut short" in refusal(LOADERS[network], folder)


@pytest.mark.parametrize(
    ("content", "said"), [(b"", "is empty"), (b"<html>sign in</html>", "is a web page")]
)
def test_what_is_no_weights_is_said(network: str, folder: Path, content: bytes, said: str) -> None:
    (folder / FILE).write_bytes(content)
    assert said in refusal(LOADERS[network], folder)


def test_a_missing_file_is_said(network: str, folder: Path) -> None:
    (folder / FILE).unlink()
    assert "is missing" in refusal(LOADERS[network], folder)


def test_a_missing_detector_names_the_command(tmp_path: Path) -> None:
    folder = tmp_path / "grounding-dino-tiny"
    wanted = "is missing: `make weights CHECKPOINTS=grounding-dino-tiny WEIGHTS="
    assert wanted in refusal(load_grounding_dino, folder, "config.json")


def test_a_detector_without_words_is_refused(tmp_path: Path) -> None:
    folder = copied("grounding_dino", tmp_path)
    for name in ("tokenizer.json", "vocab.txt"):
        (folder / name).unlink(missing_ok=True)
    said = refusal(load_grounding_dino, folder, "tokenizer.json")
    assert "is missing, and vocab.txt" in said


def test_a_detector_with_more_words_than_its_network_knows_is_refused(tmp_path: Path) -> None:
    folder = copied("grounding_dino", tmp_path)
    with open(folder / "vocab.txt", "a") as words:
        words.writelines(f"word{k}\n" for k in range(100_000))
    assert "words, the network" in refusal(load_grounding_dino, folder, "grounding_dino")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ('{"model_type": "sam2_video"}', "expected model_type grounding-dino, found sam2_video"),
        ("{", "config.json"),
    ],
)
def test_a_detectors_config_of_something_else_is_refused(
    tmp_path: Path, content: str, said: str
) -> None:
    folder = copied("grounding_dino", tmp_path)
    (folder / "config.json").write_text(content)
    assert said in refusal(load_grounding_dino, folder, "config.json")


def test_a_detector_has_to_say_the_size_of_its_pictures(tmp_path: Path) -> None:
    folder = copied("grounding_dino", tmp_path)
    settings = json.loads((folder / "preprocessor_config.json").read_text())
    del settings["size"]
    (folder / "preprocessor_config.json").write_text(json.dumps(settings))
    said = refusal(load_grounding_dino, folder, "preprocessor_config.json")
    assert "does not say 'size'" in said


@pytest.mark.parametrize("content", ["model: 3", "model: [", "what: 3", "model: {it: {of: 3}}"])
def test_a_config_that_is_none_of_sam2_is_refused(tmp_path: Path, content: str) -> None:
    folder = copied("sam2", tmp_path)
    (folder / "config.yaml").write_text(content)
    refusal(load_sam2, folder, "config.yaml")


def test_a_config_calls_nothing_but_sam2(tmp_path: Path) -> None:
    folder, mark = copied("sam2", tmp_path), tmp_path / "was here"
    more = f"\n  more:\n    - _target_: os.system\n      command: touch '{mark}'\n"
    (folder / "config.yaml").write_text("model:" + more)
    assert "it would call os.system" in refusal(load_sam2, folder, "config.yaml")
    assert not mark.exists()


def test_a_vitpose_of_other_keypoints_is_refused(tmp_path: Path) -> None:
    folder = copied("vitpose", tmp_path)
    config = json.loads((folder / "config.json").read_text())
    names = [f"LABEL_{k}" for k in range(17)]
    config["num_labels"] = 17
    config["id2label"] = {str(k): name for k, name in enumerate(names)}
    config["label2id"] = {name: k for k, name in enumerate(names)}
    (folder / "config.json").write_text(json.dumps(config))
    said = refusal(load_vitpose, folder)
    assert "expected (17" in said and "found (133" in said
