"""Numbers that stages noted about a clip and that no measure of its verdict has."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Figure:
    """One number a clip. key: its name in the details of a stage's entry of the ledger. factor:
    from the entry's unit to this one.
    """

    name: str
    title: str
    unit: str
    meaning: str
    stage: str
    key: str
    factor: float = 1.0


FIGURES = (
    Figure(
        "depth_coverage",
        "Depth known",
        "%",
        "share of the place that has measured depth",
        "stage1-sfm",
        "depth_coverage",
        100.0,
    ),
    Figure(
        "reprojection_px",
        "Camera error",
        "px",
        "how far the place's points miss their pixels",
        "stage1-sfm",
        "reprojection_px",
    ),
)


def noted(entries: Mapping[str, Mapping[str, Any]]) -> dict[str, float]:
    """The figures of a clip by name, those that its last entries of the ledger have."""
    found = {}
    for figure in FIGURES:
        value = (entries.get(figure.stage, {}).get("details") or {}).get(figure.key)
        if isinstance(value, int | float):
            found[figure.name] = figure.factor * value
    return found
