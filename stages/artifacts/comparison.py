"""`evaluation.json` in the data folder: results compared with ground truth, measure by measure."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from stages.artifacts.atomic import write_text
from stages.artifacts.errors import ArtifactError
from stages.artifacts.json_files import read_json

FILE = "evaluation.json"


@dataclass(frozen=True)
class Compared:
    """One measure of one video. text: what it is, with its unit. bar: such as `<= 3`.

    value: None where a result that it needs is missing, which misses the bar.
    """

    text: str
    value: float | None
    bar: str
    passes: bool


Comparison = dict[str, dict[str, Compared]]
"""By video, then by measure."""


def write_comparison(data: Path, found: Comparison) -> None:
    record = {
        video: {name: asdict(each) for name, each in measures.items()}
        for video, measures in found.items()
    }
    write_text(data / FILE, json.dumps(record, indent=1))


def read_comparison(data: Path) -> Comparison:
    """The file's content; nothing where it is missing or damaged."""
    try:
        record = read_json(data / FILE, "run evaluation again")
        return {
            video: {name: Compared(**each) for name, each in measures.items()}
            for video, measures in record.items()
        }
    except (ArtifactError, TypeError, AttributeError):
        return {}
