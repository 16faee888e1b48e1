"""What a measure is: a name, and all that a table or a page says of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

SMALL: Final = "small"
LARGE: Final = "large"


@dataclass(frozen=True)
class Measure:
    """One number a clip. good: which end of its scale."""

    name: str
    title: str
    unit: str
    good: Literal["small", "large"]
    meaning: str


Values = dict[str, float | None]
"""By the measures' names; None where there is nothing to measure."""


@dataclass(frozen=True)
class Measured:
    """A clip's measures. problems: sentences on results that are missing or damaged."""

    values: Values
    problems: tuple[str, ...] = ()


def worst(found: Sequence[Mapping[str, float]], measures: Sequence[Measure]) -> Values:
    """Measure by measure, the worst of several people or parts; what none has is left out."""
    values: Values = {}
    for measure in measures:
        known = [each[measure.name] for each in found if measure.name in each]
        if known:
            values[measure.name] = (max if measure.good == SMALL else min)(known)
    return values
