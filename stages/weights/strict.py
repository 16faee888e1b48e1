"""Whether a state dict is exactly what a network expects: keys, shapes, finite numbers."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from stages.weights.errors import LONGEST_OF_TWO, WeightsError, shown, shown_key

Shape = tuple[int, ...]


def shapes_of(state: Mapping[str, Tensor]) -> dict[str, Shape]:
    """Shapes by key."""
    return {key: tuple(value.shape) for key, value in state.items()}


def check_state(
    given: Mapping[str, Any], expected: Mapping[str, Shape], path: Path | str, network: str
) -> None:
    """Whether `given` has the expected keys and shapes, no others, and finite numbers.

    Raises:
        WeightsError: names the file, the first key that is wrong, and both shapes.
    """
    name = shown(path)
    both = expected.keys() & given.keys()
    missing = [key for key in expected if key not in given]
    extra = [key for key in given if key not in expected]
    if 2 * len(both) < len(expected):
        first = f"{shown_key(missing[0], LONGEST_OF_TWO)} {expected[missing[0]]}"
        holds = f", holds {shown_key(extra[0], LONGEST_OF_TWO)}" if extra else ""
        raise WeightsError(
            f"{name} is no {network}: {len(both)} of {len(expected)} keys, lacks {first}{holds}"
        )
    if missing:
        key = missing[0]
        raise WeightsError(
            f"{name}: {network} wants {shown_key(key)}: expected {expected[key]}, found none"
            + _more(missing)
        )
    if extra:
        key = extra[0]
        found = tuple(given[key].shape) if isinstance(given[key], Tensor) else _type(given[key])
        raise WeightsError(
            f"{name}: {network} has no {shown_key(key)}: expected none, found {found}"
            + _more(extra)
        )
    for key, shape in expected.items():
        value = given[key]
        found = tuple(value.shape) if isinstance(value, Tensor) else _type(value)
        if found != shape:
            raise WeightsError(
                f"{name}: {network}'s {shown_key(key)}: expected {shape}, found {found}"
            )
    check_finite(given, path)


def check_finite(state: Mapping[str, Tensor], path: Path | str) -> None:
    """Whether all numbers are finite.

    Raises:
        WeightsError: names the file and the first tensor with one that is not.
    """
    for key, value in state.items():
        # The sum of all is a fast first look: a large one may overflow.
        if value.is_floating_point() and not torch.isfinite(value.sum()):
            bad = int((~torch.isfinite(value)).sum())
            if not bad:
                continue
            raise WeightsError(
                f"{shown(path)}: {shown_key(key)} {tuple(value.shape)}: expected finite numbers,"
                f" found {bad} NaN or infinite"
            )


def entry(content: Any, name: str, path: Path, network: str) -> Mapping[str, Any]:
    """The state dict under a name; `""`: the content itself.

    Raises:
        WeightsError: it is not there, or no table.
    """
    state = content if not name else content.get(name) if isinstance(content, Mapping) else None
    if isinstance(state, Mapping):
        return state
    if isinstance(content, Mapping):
        has = ", ".join(shown_key(key, LONGEST_OF_TWO) for key in list(content)[:2]) or "nothing"
        found = f"{len(content)} entries ({has})"
    else:
        found = _type(content)
    wanted = f"entry {name!r}" if name else "a table of tensors"
    raise WeightsError(f"{shown(path)} is no {network}: expected {wanted}, found {found}")


def _type(value: Any) -> str:
    return type(value).__name__


def _more(keys: list[str]) -> str:
    return f", and {len(keys) - 1} more" if len(keys) > 1 else ""
