"""Verdicts, measures and comparisons with ground truth, as the pages show them."""

from pathlib import Path
from typing import Any

from stages.artifacts.comparison import Compared
from stages.artifacts.verdicts import DOUBT, KEEP, REJECT, Judged, Verdicts

FAILED, NOT_JUDGED = "failed", "not judged"
MARKS = {REJECT: "■", FAILED: "✕", DOUBT: "▲", NOT_JUDGED: "◆", KEEP: "●"}
"""The worst first, which is how the table sorts them."""


def current(data: Path, video: str, verdicts: Verdicts) -> Judged | None:
    """What was found of the result that the video has now."""
    judged = verdicts.clips.get(video)
    return judged if judged is not None and judged.is_of(data, video) else None


def measured(verdicts: Verdicts, judged: Judged | None) -> list[dict[str, Any]]:
    """A row a measure that the clip has: value, thresholds, and which of them it is beyond."""
    rows = []
    values = judged.values if judged else {}
    for measure in verdicts.measures:
        value = values.get(measure.name)
        if value is None:
            continue
        limits = verdicts.thresholds.get(measure.name)
        kind = limits.kind(measure, value) if limits else KEEP
        rows.append(
            {
                "name": measure.name,
                "title": measure.title,
                "meaning": measure.meaning,
                "value": value,
                "shown": measure.shown(value),
                "side": "over" if measure.good == "small" else "under",
                "limits": limits,
                "kind": "" if kind == KEEP else kind,
                "mark": "" if kind == KEEP else MARKS[kind],
            }
        )
    return rows


def compared(found: dict[str, Compared]) -> list[dict[str, Any]]:
    """A row a measure with ground truth."""
    marks = {True: MARKS[KEEP] + " met", False: MARKS[REJECT] + " missed"}
    return [
        {"text": one.text, "value": one.value, "bar": one.bar, "outcome": marks[one.passes]}
        for one in found.values()
    ]
