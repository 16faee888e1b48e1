"""Which videos a stage has done already, by the same parameters, inputs and weights."""

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stages.artifacts import layout
from stages.artifacts.atomic import remove_leftovers, write_text
from stages.running import fingerprints
from stages.running.fingerprints import Fingerprints
from stages.running.stage import Input, Stage


@dataclass(frozen=True)
class State:
    """What is to be done about a video."""

    skip: bool
    reason: str
    """Why it is skipped or done again; empty for a video never seen."""


@dataclass(frozen=True)
class Stamp:
    """What a stage noted about a video."""

    finished: bool
    parameters: dict[str, Any]
    inputs: Fingerprints
    weights: Fingerprints
    outputs: dict[str, int]
    """Size of every output file."""


def stamp_path(stage: Stage, video: str) -> Path:
    return stage.output_base_dir.parent / layout.STAMPS / stage.name / f"{video}.json"


def lock_path(stage: Stage, video: str) -> Path:
    return stamp_path(stage, video).with_suffix(".lock")


def unfinished(data_folder: Path, item: Input, name: str) -> str:
    """The stage that has begun on an input and not finished; empty if none has.

    Args:
        name: of the video, or of a reconstruction of it.
    """
    for stage in re.findall(r"stage\d-\w+", item.made_by):
        for maker in {name, layout.video_of(name)}:
            stamp = read_stamp(data_folder / layout.STAMPS / stage / f"{maker}.json")
            if stamp is not None and not stamp.finished:
                return stage
    return ""


def read_stamp(path: Path) -> Stamp | None:
    """The stamp, or None if there is none or it cannot be read."""
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        return Stamp(
            record["finished"],
            record["parameters"],
            fingerprints.from_json(record["inputs"]),
            fingerprints.from_json(record["weights"]),
            record["outputs"],
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _write_stamp(path: Path, stamp: Stamp) -> None:
    record = {
        "finished": stamp.finished,
        "parameters": stamp.parameters,
        "inputs": fingerprints.to_json(stamp.inputs),
        "weights": fingerprints.to_json(stamp.weights),
        "outputs": stamp.outputs,
    }
    write_text(path, json.dumps(record, indent=1, default=str))


def _output_sizes(stage: Stage, video: str) -> dict[str, int]:
    files = [file for path in stage.outputs(video) for file in fingerprints.expand(path)]
    return {str(file): file.stat().st_size for file in files}


def _as_json(parameters: dict[str, Any]) -> dict[str, Any]:
    return json.loads(json.dumps(parameters, default=str))


def _changed_parameter(old: dict[str, Any], new: dict[str, Any]) -> str:
    for name in sorted(old.keys() | new.keys()):
        if old.get(name) != new.get(name):
            return f"{name} changed from {old.get(name)} to {new.get(name)}"
    return ""


class Resume:
    """Compares a video with its stamp, and writes stamps."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._weights: Fingerprints | None = None

    def weights(self, known: Fingerprints | None = None) -> Fingerprints:
        """Fingerprints of the stage's weights, read once."""
        if self._weights is None:
            self._weights = fingerprints.take(self._stage.weights().values(), known)
        return self._weights

    def _inputs(self, video: str, known: Fingerprints | None = None) -> Fingerprints:
        return fingerprints.take([item.path for item in self._stage.inputs(video)], known)

    def state(self, video: str) -> State:
        """Whether the video is done."""
        stage, path = self._stage, stamp_path(self._stage, video)
        stamp = read_stamp(path)
        present = all(fingerprints.expand(output) for output in stage.outputs(video))
        if stamp is None:
            if present and not path.exists():
                return State(True, "made elsewhere; --no-skip-existing replaces it")
            return State(False, "")
        if not stamp.finished:
            return State(False, "an earlier run did not finish")
        changed = _changed_parameter(stamp.parameters, _as_json(stage.parameters()))
        changed = changed or fingerprints.difference(
            stamp.inputs, self._inputs(video, stamp.inputs)
        )
        changed = changed or fingerprints.difference(stamp.weights, self.weights(stamp.weights))
        if not changed:
            sizes = _output_sizes(stage, video)
            for file, size in stamp.outputs.items():
                if sizes.get(file) != size:
                    changed = f"{file} {'is gone' if file not in sizes else 'changed'}"
                    break
        return State(False, changed) if changed else State(True, "done already")

    def begin(self, video: str) -> Stamp:
        """Notes that work on a video begins, from inputs as they are now.

        Nobody else may be at work on it: what a killed run left of its outputs goes.
        """
        for output in self._stage.outputs(video):
            remove_leftovers(output)
        known = read_stamp(stamp_path(self._stage, video))
        stamp = Stamp(
            False,
            _as_json(self._stage.parameters()),
            self._inputs(video, known.inputs if known else None),
            self.weights(known.weights if known else None),
            {},
        )
        _write_stamp(stamp_path(self._stage, video), stamp)
        return stamp

    def finish(self, video: str, begun: Stamp) -> None:
        """Notes that a video is done."""
        sizes = _output_sizes(self._stage, video)
        stamp = Stamp(True, begun.parameters, begun.inputs, begun.weights, sizes)
        _write_stamp(stamp_path(self._stage, video), stamp)
