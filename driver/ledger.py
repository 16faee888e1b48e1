"""`runs.jsonl` of a data folder, as far as it can be read."""

from __future__ import annotations

import json
from dataclasses import dataclass, fields
from pathlib import Path

from stages.artifacts import layout

START = '{"stage"'
"""How every line begins; inside a line quotes are escaped."""


@dataclass(frozen=True)
class Outcome:
    """What became of a video in a stage."""

    stage: str
    video: str
    outcome: str
    """done, skipped, failed or interrupted."""
    reason: str
    started: str


def size(data: Path) -> int:
    """Bytes of the ledger: where lines that are added later begin."""
    path = data / layout.LEDGER
    return path.stat().st_size if path.exists() else 0


def read(data: Path, start: int = 0) -> list[Outcome]:
    """Outcomes from a byte on, in order; a line that is torn or no outcome costs only itself."""
    try:
        with open(data / layout.LEDGER, "rb") as file:
            file.seek(start)
            text = file.read().decode(errors="replace")
    except OSError:
        return []
    found = []
    for line in text.split("\n"):
        # What a killed run began may stand before what the next one wrote.
        whole = line[max(line.rfind(START), 0) :]
        try:
            entry = json.loads(whole)
            values = [entry[field.name] for field in fields(Outcome)]
        except (ValueError, TypeError, KeyError, RecursionError):
            continue
        if all(isinstance(value, str) for value in values):
            found.append(Outcome(*(value.encode(errors="replace").decode() for value in values)))
    return found
