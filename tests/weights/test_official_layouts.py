"""What the loaders expect is what the official files hold; every other file is refused.

The files here have the official keys and shapes, and zeros for numbers.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from stages.stage0_bstro.checkpoint import load_official_network
from stages.stage0_vimo.checkpoint import load_network
from stages.weights.errors import WeightsError
from stages.weights.sam2 import OFFICIAL_CONFIGS, load_sam2
from stages.weights.strict import shapes_of
from stages.weights.vitpose import load_vitpose, official_layout
from tests.weights.official import write, zeros

Shapes = dict[str, list[int]]
TEMPLATE = torch.zeros(431, 3)


def load_bstro(path: Path) -> Any:
    return load_official_network(path, TEMPLATE)


@pytest.fixture(scope="module")
def layout(goldens: Any) -> Callable[[str], Shapes]:
    """Keys and shapes of an official file."""

    def read(network: str) -> Shapes:
        return json.loads((goldens.folder / f"{network}.keys.json").read_text())["keys"]

    return read


@pytest.fixture(scope="module")
def sam2_layout() -> Shapes:
    from sam2.build_sam import build_sam2_video_predictor

    config = OFFICIAL_CONFIGS["sam2.1_hiera_tiny.pt"]
    model = build_sam2_video_predictor(config, None, device="cpu")
    return {key: list(shape) for key, shape in shapes_of(model.state_dict()).items()}


@pytest.mark.parametrize(("network", "width"), [("vitpose", 384), ("vitpose_huge", 1280)])
def test_vitposes_layout_is_the_official_one(
    layout: Callable[[str], Shapes], network: str, width: int
) -> None:
    official = {key: tuple(shape) for key, shape in layout(network).items()}
    assert official_layout(width) == official


class Case:
    """A network: its loader, the name of its file, and where in the file the state lies."""

    def __init__(self, load: Callable[[Path], Any], name: str, nested: str, key: str) -> None:
        self.load, self.name, self.nested, self.key = load, name, nested, key

    def write(self, folder: Path, state: dict[str, Any], is_archive: bool = True) -> Path:
        content = {self.nested: state} if self.nested else state
        return write(folder / self.name, content, is_archive)

    def refusal(self, path: Path) -> str:
        with pytest.raises(WeightsError) as error:
            self.load(path)
        said = str(error.value)
        assert "\n" not in said and len(said) < 200 and self.name in said
        return said


CASES = {
    "vitpose": Case(
        load_vitpose,
        "vitpose_small_wholebody.pth",
        "state_dict",
        "backbone.blocks.11.mlp.fc2.weight",
    ),
    "vimo": Case(
        load_network,
        "vimo_checkpoint.pth.tar",
        "model",
        "backbone.blocks.31.mlp.fc2.weight",
    ),
    "bstro": Case(
        load_bstro,
        "hsi_hrnet_3dpw_b32_checkpoint_15.bin",
        "",
        "trans_encoder.2.bert.encoder.layer.3.attention.output.LayerNorm.weight",
    ),
    "sam2": Case(
        load_sam2,
        "sam2.1_hiera_tiny.pt",
        "model",
        "memory_attention.layers.3.cross_attn_image.q_proj.weight",
    ),
}


@pytest.fixture(params=CASES)
def network(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def case(network: str) -> Case:
    return CASES[network]


@pytest.fixture
def state(request: pytest.FixtureRequest, network: str) -> dict[str, Any]:
    if network == "sam2":
        return zeros(request.getfixturevalue("sam2_layout"))
    return zeros(request.getfixturevalue("layout")(network))


@pytest.mark.parametrize("network", ["vimo", "bstro", "sam2"])
def test_a_file_in_the_official_layout_loads_also_one_from_before_pytorch_1_6(
    case: Case, state: dict[str, Any], tmp_path: Path
) -> None:
    assert not case.load(case.write(tmp_path, state, is_archive=False)).training


def test_a_missing_key_is_named(case: Case, state: dict[str, Any], tmp_path: Path) -> None:
    shape = tuple(state.pop(case.key).shape)
    said = case.refusal(case.write(tmp_path, state))
    assert f"wants {case.key}: expected {shape}, found none" in said


def test_an_extra_key_is_named(case: Case, state: dict[str, Any], tmp_path: Path) -> None:
    state["head.of.something.else"] = torch.zeros(7)
    said = case.refusal(case.write(tmp_path, state))
    assert "has no head.of.something.else: expected none, found (7,)" in said


def test_another_shape_is_said(case: Case, state: dict[str, Any], tmp_path: Path) -> None:
    shape = tuple(state[case.key].shape)
    state[case.key] = torch.zeros(3)
    said = case.refusal(case.write(tmp_path, state))
    assert f"{case.key}: expected {shape}, found (3,)" in said


def test_nan_inside_is_said(case: Case, state: dict[str, Any], tmp_path: Path) -> None:
    key = next(iter(key for key, value in state.items() if value.ndim))
    state[key] = torch.full((1,), float("nan")).expand(state[key].shape)
    said = case.refusal(case.write(tmp_path, state))
    assert said.endswith("NaN or infinite") and key in said


def test_another_networks_file_is_refused(
    network: str, case: Case, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    other = "bstro" if network == "vitpose" else "vitpose"
    state = zeros(request.getfixturevalue("layout")(other))
    assert " is no " in case.refusal(case.write(tmp_path, state))


def test_another_nesting_is_refused(case: Case, state: dict[str, Any], tmp_path: Path) -> None:
    path = write(tmp_path / case.name, {"epoch": 3, "net": state})
    assert " is no " in case.refusal(path)


@pytest.mark.parametrize(
    ("content", "said"), [(b"", "is empty"), (b"<html>sign in</html>", "is a web page")]
)
def test_what_is_no_checkpoint_is_said(
    case: Case, content: bytes, said: str, tmp_path: Path
) -> None:
    (tmp_path / case.name).write_bytes(content)
    assert said in case.refusal(tmp_path / case.name)


@pytest.mark.parametrize("is_archive", [True, False])
def test_a_file_that_is_cut_short_is_said(case: Case, is_archive: bool, tmp_path: Path) -> None:
    path = case.write(tmp_path, {"some": torch.zeros(1000)}, is_archive)
    path.write_bytes(path.read_bytes()[:3000])
    assert "cut short" in (said := case.refusal(path)) or "is damaged" in said


def test_a_missing_file_names_the_command(case: Case, tmp_path: Path) -> None:
    said = case.refusal(tmp_path / case.name)
    assert "is missing: `make weights CHECKPOINTS=" in said


def test_a_vitpose_with_experts_is_said_to_be_one(
    layout: Callable[[str], Shapes], tmp_path: Path
) -> None:
    case = CASES["vitpose"]
    plus = dict(layout("vitpose"))
    for number in range(6):
        plus[f"backbone.blocks.0.mlp.experts.{number}.weight"] = [384, 384]
    said = case.refusal(case.write(tmp_path, zeros(plus)))
    assert "is a ViTPose+ with experts (backbone.blocks.0.mlp.experts.0.weight)" in said


def test_counters_of_vitposes_head_may_be_left_out(
    layout: Callable[[str], Shapes], tmp_path: Path
) -> None:
    case = CASES["vitpose"]
    state = zeros({key: s for key, s in layout("vitpose").items() if not key.endswith("tracked")})
    case.load(case.write(tmp_path, state))


def test_a_sam2_is_known_by_its_name(tmp_path: Path) -> None:
    path = write(tmp_path / "mine.pt", {"model": {}})
    with pytest.raises(WeightsError, match=r"mine\.pt is no SAM 2\.1 by its name; known are"):
        load_sam2(path)
