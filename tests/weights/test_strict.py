"""A state dict is exactly what a network expects, or the first difference is said in one line."""

from pathlib import Path
from typing import Any

import pytest
import torch

from stages.weights.errors import WeightsError
from stages.weights.strict import check_state, entry

LONG = "backbone.stages.0.blocks.10.attention.projection.of.queries.and.keys." * 3
EXPECTED = {"first.weight": (2, 3), "first.bias": (2,), "second.weight": (4, 4), LONG: (1,)}
FILE = Path("/a/long/way/down/into/the/folders/of/somebody/else/net.pth")


def whole() -> dict[str, Any]:
    return {key: torch.zeros(shape) for key, shape in EXPECTED.items()}


def refusal(state: dict[str, Any]) -> str:
    with pytest.raises(WeightsError) as error:
        check_state(state, EXPECTED, FILE, "ViTPose")
    said = str(error.value)
    assert "\n" not in said and len(said) < 200 and "net.pth" in said
    return said


def test_what_is_expected_passes() -> None:
    check_state(whole(), EXPECTED, FILE, "ViTPose")


@pytest.mark.parametrize("key", EXPECTED)
def test_a_missing_key_is_named_with_its_shape(key: str) -> None:
    state = whole()
    del state[key]
    said = refusal(state)
    assert f"expected {EXPECTED[key]}, found none" in said and key[:30] in said


def test_an_extra_key_is_named_with_its_shape_and_how_many_more_there_are() -> None:
    more = {"third.weight": torch.zeros(5), "fourth": torch.zeros(1)}
    said = refusal(whole() | more)
    assert "ViTPose has no third.weight: expected none, found (5,), and 1 more" in said


def test_another_shape_is_said_beside_the_expected_one() -> None:
    said = refusal(whole() | {"first.weight": torch.zeros(3, 2)})
    assert "ViTPose's first.weight: expected (2, 3), found (3, 2)" in said


def test_what_is_no_tensor_is_said() -> None:
    assert "first.bias: expected (2,), found float" in refusal(whole() | {"first.bias": 1.0})


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), float("-inf")])
@pytest.mark.parametrize("key", EXPECTED)
def test_numbers_that_are_none_are_counted(bad: float, key: str) -> None:
    state = whole()
    state[key].view(-1)[0] = bad
    said = refusal(state)
    assert said.endswith("expected finite numbers, found 1 NaN or infinite") and key[:20] in said


def test_another_network_is_said_to_be_one() -> None:
    said = refusal({f"{LONG}{k}": torch.zeros(1) for k in range(100)})
    assert "is no ViTPose: 0 of 4 keys, lacks first.weight (2, 3), holds backbone" in said


def test_the_state_lies_under_its_name() -> None:
    state = whole()
    assert entry({"model": state}, "model", FILE, "VIMO") is state
    assert entry(state, "", FILE, "BSTRO") is state


@pytest.mark.parametrize(
    ("content", "name", "said"),
    [
        ({"state": {}}, "model", "expected entry 'model', found 1 entries (state)"),
        ({}, "model", "expected entry 'model', found 0 entries (nothing)"),
        ({LONG: 1, LONG + "x": 2}, "model", "expected entry 'model', found 2 entries (backbone"),
        (torch.zeros(3), "model", "expected entry 'model', found Tensor"),
        ([1, 2], "", "expected a table of tensors, found list"),
    ],
)
def test_another_nesting_is_said(content: Any, name: str, said: str) -> None:
    with pytest.raises(WeightsError) as error:
        entry(content, name, FILE, "VIMO")
    assert said in str(error.value) and len(str(error.value)) < 200
