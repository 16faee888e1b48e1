"""Keep, doubt or reject a clip, by its measures and `thresholds.toml`."""

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from stages.evaluation.plausibility import MEASURES, Measure, Measured

KEEP, DOUBT, REJECT = "keep", "doubt", "reject"
THRESHOLDS_FILE = Path(__file__).with_name("thresholds.toml")


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


def judge(measured: Measured) -> Verdict:
    """The verdict on a clip. A measure that is None says nothing, a result that is missing or
    damaged brings the clip into doubt.
    """
    rejections, doubts = [], []
    for measure in MEASURES:
        value, limits = measured.values.get(measure.name), thresholds().get(measure.name)
        if value is None or limits is None:
            continue
        if beyond(measure, value, limits.reject):
            rejections.append(_sentence(measure, value, limits.reject))
        elif beyond(measure, value, limits.doubt):
            doubts.append(_sentence(measure, value, limits.doubt))
    doubts += [f"not measured: {problem}" for problem in measured.problems]
    kind = REJECT if rejections else DOUBT if doubts else KEEP
    return Verdict(kind, (*rejections, *doubts))


def beyond(measure: Measure, value: float, bar: float) -> bool:
    """Whether a value is on the bad side of a bar; one that is no number is."""
    return not (value <= bar if measure.good == "small" else value >= bar)


def _sentence(measure: Measure, value: float, bar: float) -> str:
    side = "over" if measure.good == "small" else "under"
    unit = "" if measure.unit in ("share", "score", "IoU", "correlation") else f" {measure.unit}"
    return f"{measure.title}: {value:.3g}{unit}, {side} {bar:g}"
