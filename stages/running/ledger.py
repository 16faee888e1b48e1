"""`runs.jsonl` in the data folder: one line a video and stage. And `logs/` with tracebacks."""

import traceback
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from stages.artifacts import layout
from stages.running import json_lines

LOGS = "logs"


@dataclass(frozen=True)
class Entry:
    """The outcome of one video in one run of one stage."""

    stage: str
    video: str
    outcome: str
    """done, skipped, failed or interrupted."""
    reason: str
    seconds: float
    peak_memory_mb: float
    started: str
    command: str
    device: str
    versions: dict[str, str]
    weights_sha256: dict[str, str]
    details: dict[str, Any] = field(default_factory=dict)


def now() -> str:
    """The time in UTC, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def append(data_folder: Path, entry: Entry) -> None:
    """Adds one line."""
    json_lines.append(data_folder / layout.LEDGER, asdict(entry))


def read(data_folder: Path) -> list[dict[str, Any]]:
    """All entries; a line cut short by a killed run is left out."""
    return json_lines.read(data_folder / layout.LEDGER)


def log_failure(data_folder: Path, stage: str, video: str, error: BaseException) -> Path:
    """Writes the traceback of a failure and returns where."""
    path = data_folder / LOGS / stage / f"{video}.log"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"{now()}\n" + "".join(traceback.format_exception(error)), encoding="utf-8")
    return path
