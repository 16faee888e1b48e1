"""Keep, doubt or reject a clip, by its measures and `thresholds.toml`."""

import tomllib
from functools import cache
from pathlib import Path

from stages.artifacts.verdicts import DOUBT, KEEP, REJECT, SMALL, Judged, Measure, Threshold
from stages.evaluation.plausibility import MEASURES, Measured

THRESHOLDS_FILE = Path(__file__).with_name("thresholds.toml")


@cache
def thresholds() -> dict[str, Threshold]:
    """By the measures' names; those of none decide nothing."""
    table = tomllib.loads(THRESHOLDS_FILE.read_text(encoding="utf-8"))
    return {name: Threshold(**entry) for name, entry in table.items()}


def judge(measured: Measured) -> Judged:
    """The verdict on a clip. A measure that is None says nothing, nor does one that does not apply;
    a result that is missing or damaged brings the clip into doubt.
    """
    reasons: dict[str, list[str]] = {REJECT: [], DOUBT: []}
    for measure in MEASURES:
        value, limits = measured.values.get(measure.name), thresholds().get(measure.name)
        if value is None or limits is None:
            continue
        kind = limits.kind(measure, value)
        if kind != KEEP:
            bar = limits.reject if kind == REJECT else limits.doubt
            reasons[kind].append(_sentence(measure, value, bar))
    reasons[DOUBT] += [f"not measured: {problem}" for problem in measured.problems]
    verdict = next((kind for kind, said in reasons.items() if said), KEEP)
    said = [*reasons[REJECT], *reasons[DOUBT]]
    return Judged(verdict, said, measured.values, notes=list(measured.notes))


def _sentence(measure: Measure, value: float, bar: float) -> str:
    side = "over" if measure.good == SMALL else "under"
    return f"{measure.title}: {measure.shown(value)}, {side} {bar:g}"
