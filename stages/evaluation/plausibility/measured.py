"""What a clip's measures come to: all of them, and the worst of several people."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from stages.artifacts.verdicts import SMALL, Measure, Values


class NotMeasuredError(Exception):
    """A measure does not apply, and why: no fault of the clip."""


@dataclass(frozen=True)
class Measured:
    """A clip's measures. problems: sentences on results that are missing or damaged. notes: on
    measures that do not apply."""

    values: Values
    problems: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def worst(found: Sequence[Mapping[str, float]], measures: Sequence[Measure]) -> Values:
    """Measure by measure, the worst of several people or parts; what none has is left out."""
    values: Values = {}
    for measure in measures:
        known = [each[measure.name] for each in found if measure.name in each]
        if known:
            values[measure.name] = float((max if measure.good == SMALL else min)(known))
    return values
