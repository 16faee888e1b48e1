"""Keep, doubt or reject a clip, by its measures and `thresholds.toml`."""

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from stages.evaluation.plausibility import MEASURES, Measure, Values

KEEP, DOUBT, REJECT = "keep", "doubt", "reject"
THRESHOLDS_FILE = Path(__file__).with_name("thresholds.toml")
NO_ROBOT = "no robot motion that can be measured"
_LAST = "robot_sliding_cm_s"
"""A measure of the last stage."""


@dataclass(frozen=True)
class Threshold:
    """A measure beyond `doubt` is doubted, one beyond `reject` rejected; source: of both."""

    doubt: float
    reject: float
    source: str


@dataclass(frozen=True)
class Verdict:
    """kind: keep, doubt or reject. reasons: sentences, the worst first; none for keep."""

    kind: str
    reasons: tuple[str, ...] = ()


@cache
def thresholds() -> dict[str, Threshold]:
    """By the measures' names; those of none decide nothing."""
    table = tomllib.loads(THRESHOLDS_FILE.read_text(encoding="utf-8"))
    return {name: Threshold(**entry) for name, entry in table.items()}


def judge(values: Values) -> Verdict:
    """The verdict on a clip. A measure that is None says nothing."""
    found: list[tuple[bool, str]] = []
    for measure in MEASURES:
        value, limits = values.get(measure.name), thresholds().get(measure.name)
        if value is None or limits is None:
            continue
        is_rejected = beyond(measure, value, limits.reject)
        if is_rejected or beyond(measure, value, limits.doubt):
            bar = limits.reject if is_rejected else limits.doubt
            found.append((is_rejected, _sentence(measure, value, bar)))
    if values.get(_LAST) is None:
        found.append((False, NO_ROBOT))
    found.sort(key=lambda each: not each[0])
    reasons = tuple(sentence for _, sentence in found)
    if not reasons:
        return Verdict(KEEP)
    return Verdict(REJECT if found[0][0] else DOUBT, reasons)


def beyond(measure: Measure, value: float, bar: float) -> bool:
    """Whether a value is on the bad side of a bar; one that is no number is."""
    return not (value <= bar if measure.good == "small" else value >= bar)


def _sentence(measure: Measure, value: float, bar: float) -> str:
    side = "over" if measure.good == "small" else "under"
    unit = "" if measure.unit in ("share", "score", "IoU", "correlation") else f" {measure.unit}"
    return f"{measure.title}: {value:.3g}{unit}, {side} {bar:g}"
