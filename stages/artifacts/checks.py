"""What numbers of a file must be for later stages to make sense of them.

Each check raises ValueError, which says what was found where and what was expected; readers make it
an error that names the file.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

LARGEST_M = 1e5
"""No place, camera or body is further from the origin of its world."""
LARGEST_BETA = 100.0
_NOT_A_ROTATION = 0.05
"""By what a rotation times its transpose may differ from one; the original's differ by 1e-6."""


def has_shape(name: str, shape: Sequence[int], expected: Sequence[int | None]) -> None:
    """None stands for any length."""
    fits = len(shape) == len(expected) and all(
        wanted in (None, length) for length, wanted in zip(shape, expected, strict=True)
    )
    if not fits:
        wanted = ", ".join("n" if each is None else str(each) for each in expected)
        raise ValueError(f"{name} has shape {tuple(shape)}, expected ({wanted})")


def numbers(name: str, values: Any, dtype: type, *shape: int | None) -> np.ndarray:
    """An array of a shape, of whatever can be read as numbers."""
    with np.errstate(over="ignore", invalid="ignore"):
        array: np.ndarray = np.asarray(values, dtype)
    if shape:
        has_shape(name, array.shape, shape)
    return array


def within(name: str, values: np.ndarray, least: float, most: float) -> np.ndarray:
    """All numbers are finite and between two bounds, which are included."""
    if values.size and not (values.min() >= least and values.max() <= most):
        finite = np.isfinite(values).all()
        found = f"is {values.min():g} to {values.max():g}" if finite else "has what are no numbers"
        raise ValueError(f"{name} {found}, expected {least:g} to {most:g}")
    return values


def positions_m(name: str, values: np.ndarray) -> np.ndarray:
    """Metres, finite, and nothing absurdly far."""
    return within(name, values, -LARGEST_M, LARGEST_M)


def rotations(name: str, values: np.ndarray) -> np.ndarray:
    """Rotation matrices in the last two dimensions."""
    within(name, values, -1.1, 1.1)
    squared = values @ np.swapaxes(values, -1, -2)
    off = float(np.abs(squared - np.eye(3)).max()) if values.size else 0.0
    if off > _NOT_A_ROTATION or (values.size and np.linalg.det(values).min() < 0):
        raise ValueError(f"{name} has a matrix that does not rotate (off by {off:.2g})")
    return values


def rising(name: str, values: np.ndarray, repeats: bool = False) -> np.ndarray:
    """Finite, each more than the one before, or as much where values may repeat."""
    within(name, values, -1e9, 1e9)
    steps = np.diff(values)
    falls = steps < 0 if repeats else steps <= 0
    if falls.any():
        at = int(np.flatnonzero(falls)[0]) + 1
        raise ValueError(f"{name} does not rise at entry {at}, expected growing numbers")
    return values


def whole(name: str, value: Any, least: int, most: int) -> int:
    """A whole number between two bounds."""
    number = int(value)
    if number != float(value) or not least <= number <= most:
        raise ValueError(f"{name} is {value!r:.40}, expected a whole number {least} to {most}")
    return number


def finite(name: str, value: Any, least: float = -1e9, most: float = 1e9) -> float:
    """One number between two bounds."""
    number = float(value)
    if not least <= number <= most:
        raise ValueError(f"{name} is {number:g}, expected {least:g} to {most:g}")
    return number
