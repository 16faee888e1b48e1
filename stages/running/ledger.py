"""`runs.jsonl` in the data folder: one line a video and stage. And `logs/` with tracebacks."""

import json
import os
import traceback
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from stages.artifacts import layout
from stages.running.locking import lock

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
    """Adds one line in one write, under a lock because appending is not atomic on NFS."""
    line = json.dumps(asdict(entry), default=float) + "\n"
    descriptor = os.open(data_folder / layout.LEDGER, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o666)
    try:
        lock(descriptor)
        os.write(descriptor, line.encode())
    finally:
        os.close(descriptor)


def read(data_folder: Path) -> list[dict[str, Any]]:
    """All entries; a line cut short by a killed run is left out."""
    path = data_folder / layout.LEDGER
    entries = []
    for line in path.read_text(encoding="utf-8").splitlines() if path.exists() else ():
        try:
            entries.append(json.loads(line))
        except ValueError:
            continue
    return entries


def log_failure(data_folder: Path, stage: str, video: str, error: BaseException) -> Path:
    """Writes the traceback of a failure and returns where."""
    path = data_folder / LOGS / stage / f"{video}.log"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"{now()}\n" + "".join(traceback.format_exception(error)), encoding="utf-8")
    return path
