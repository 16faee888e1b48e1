"""`.done/<stage>/<video>.json` in the data folder: what a stage noted about a video.

Several results of one video lie in a folder of their own each, by what they differ in:
`.done/<stage>/<variant>/<video>.json`.
"""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from stages.artifacts import layout
from stages.artifacts.atomic import write_text
from stages.artifacts.json_files import read_json
from stages.running import fingerprints
from stages.running.fingerprints import Fingerprint, Fingerprints


@dataclass(frozen=True)
class Stamp:
    """models: files of networks, body and robot. model_names: what they were called. chosen: those
    that the user named, by field; the others were defaults.
    """

    finished: bool
    parameters: dict[str, Any]
    inputs: Fingerprints
    models: Fingerprints
    model_names: dict[str, str]
    chosen: list[str]
    outputs: Fingerprints

    def fingerprints(self) -> list[Fingerprint]:
        """Of every file that is noted."""
        return [*self.inputs.values(), *self.models.values(), *self.outputs.values()]


def stamp_path(data_folder: Path, stage: str, video: str, variant: str = "") -> Path:
    return data_folder / layout.STAMPS / stage / variant / f"{video}.json"


def read_stamp(path: Path) -> Stamp | None:
    """The stamp, or None if there is none or it cannot be read."""
    try:
        record = read_json(path, "")
        return Stamp(
            bool(record["finished"]),
            dict(record["parameters"]),
            fingerprints.from_json(record["inputs"]),
            fingerprints.from_json(record["models"]),
            dict(record["model_names"]),
            list(record["chosen"]),
            fingerprints.from_json(record["outputs"]),
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError, OverflowError):
        return None


def write_stamp(path: Path, stamp: Stamp) -> None:
    record = asdict(stamp)
    for part in ("inputs", "models", "outputs"):
        record[part] = fingerprints.to_json(getattr(stamp, part))
    write_text(path, json.dumps(record, indent=1))


def unfinished(data_folder: Path, stages: Iterable[str], video: str, variant: str) -> str:
    """The first of some stages that has begun on a video and not finished; empty if none has."""
    for stage in stages:
        for kind in {"", variant}:
            stamp = read_stamp(stamp_path(data_folder, stage, video, kind))
            if stamp is not None and not stamp.finished:
                return stage
    return ""
