"""Numbers that stages noted about a clip while they made it: read, not computed."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Figure:
    """One number a clip. path: of its place in an entry of the ledger; `*` is every person, of
    whom the worst counts. factor: from the entry's unit to this one.
    """

    name: str
    title: str
    unit: str
    meaning: str
    stage: str
    path: tuple[str, ...]
    factor: float = 1.0
    more_is_better: bool = False


FIGURES = (
    Figure(
        "depth_coverage",
        "Depth known",
        "%",
        "share of the place that has measured depth",
        "stage1-sfm",
        ("depth_coverage",),
        100.0,
        more_is_better=True,
    ),
    Figure(
        "reprojection_px",
        "Camera error",
        "px",
        "how far the place's points miss their pixels",
        "stage1-sfm",
        ("reprojection_px",),
    ),
    Figure(
        "gravity_spread_deg",
        "Gravity spread",
        "deg",
        "how far the witnesses of what is up differ",
        "stage3-postprocess",
        ("gravity_spread_deg",),
    ),
    Figure(
        "foot_sliding_cm_s",
        "Foot sliding",
        "cm/s",
        "speed of the robot's feet while they stand",
        "stage4-retarget",
        ("*", "quality", "foot_sliding_m_s"),
        100.0,
    ),
    Figure(
        "below_ground_mm",
        "Below ground",
        "mm",
        "how deep the robot's soles are in the mesh, on average",
        "stage4-retarget",
        ("*", "quality", "below_ground_mean_m"),
        1000.0,
    ),
    Figure(
        "joint_speed_rad_s",
        "Fastest joint",
        "rad/s",
        "highest speed of a joint of the robot",
        "stage4-retarget",
        ("*", "quality", "joint_speed_worst_rad_s"),
    ),
)


def noted(entries: Mapping[str, Mapping[str, Any]]) -> dict[str, float]:
    """The figures of a clip by name, those that its last entries of the ledger have."""
    found = {}
    for figure in FIGURES:
        values = _values(entries.get(figure.stage, {}).get("details"), figure.path)
        if values:
            worst = min(values) if figure.more_is_better else max(values)
            found[figure.name] = figure.factor * worst
    return found


def _values(details: Any, path: tuple[str, ...]) -> list[float]:
    if not path:
        return [float(details)] if isinstance(details, int | float) else []
    if not isinstance(details, Mapping):
        return []
    keys = list(details) if path[0] == "*" else [path[0]]
    return [value for key in keys for value in _values(details.get(key), path[1:])]
