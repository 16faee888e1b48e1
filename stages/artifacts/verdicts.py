"""`verdicts.json` in the data folder: which results to keep, to doubt and to reject, and why.

It says of every measure what it is and where its thresholds lie, so that readers need no more.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Final, Literal

from stages.artifacts.atomic import write_text
from stages.artifacts.curation import result_identity
from stages.artifacts.errors import ArtifactError
from stages.artifacts.json_files import read_json

FILE = "verdicts.json"
KEEP, DOUBT, REJECT = KINDS = ("keep", "doubt", "reject")
SMALL: Final = "small"
LARGE: Final = "large"
WITHOUT_UNIT = ("share", "score", "IoU", "correlation")
"""What numbers between 0 and 1 are, in place of a unit."""


@dataclass(frozen=True)
class Measure:
    """One number a clip. good: which end of its scale."""

    name: str
    title: str
    unit: str
    good: Literal["small", "large"]
    meaning: str

    def shown(self, value: float) -> str:
        """A value with its unit, where it has one."""
        number = f"{value:.3g}"
        return number if self.unit in WITHOUT_UNIT else f"{number} {self.unit}"

    def is_beyond(self, value: float, bar: float) -> bool:
        """Whether a value is on the bad side of a bar; one that is no number is."""
        return not (value <= bar if self.good == SMALL else value >= bar)


@dataclass(frozen=True)
class Threshold:
    """A measure beyond `doubt` is doubted, one beyond `reject` rejected; source: of both."""

    doubt: float
    reject: float
    source: str

    def kind(self, measure: Measure, value: float | None) -> str:
        """What a value of the measure alone would make of a clip."""
        if value is None:
            return KEEP
        if measure.is_beyond(value, self.reject):
            return REJECT
        return DOUBT if measure.is_beyond(value, self.doubt) else KEEP


Values = dict[str, float | None]
"""By the measures' names; None where there is nothing to measure."""


@dataclass(frozen=True)
class Judged:
    """One clip. reasons: sentences, the worst first; none for keep. result: identity of the result
    that was judged. judges: identity of measures and thresholds. notes: why measures do not apply.
    """

    verdict: str
    reasons: list[str]
    values: Values
    result: str = ""
    judges: str = ""
    notes: list[str] = field(default_factory=list)

    def is_of(self, data: Path, video: str) -> bool:
        """Whether the clip has this result now."""
        return self.result == result_identity(data, video)


@dataclass(frozen=True)
class Verdicts:
    """The whole file; clips by video. Measures without a threshold decide nothing."""

    measures: list[Measure] = field(default_factory=list)
    thresholds: dict[str, Threshold] = field(default_factory=dict)
    clips: dict[str, Judged] = field(default_factory=dict)


def write_verdicts(data: Path, verdicts: Verdicts) -> None:
    write_text(data / FILE, json.dumps(asdict(verdicts), indent=1))


def read_verdicts(data: Path) -> Verdicts:
    """The file's content; nothing where it is missing or damaged, as it is soon made again."""
    try:
        record = read_json(data / FILE, "judge the clips again")
        return Verdicts(
            [Measure(**each) for each in record["measures"]],
            {name: Threshold(**each) for name, each in record["thresholds"].items()},
            {video: _judged(each) for video, each in record["clips"].items()},
        )
    except (ArtifactError, KeyError, TypeError, AttributeError):
        return Verdicts()


def _judged(record: Mapping) -> Judged:
    judged = Judged(**record)
    if judged.verdict not in KINDS or not isinstance(judged.values, dict):
        raise TypeError("not a verdict")
    return judged
