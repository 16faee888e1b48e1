"""Files of one JSON record a line that several processes add to."""

import json
import os
from pathlib import Path
from typing import Any

from stages.running.locking import lock


def append(path: Path, record: dict[str, Any]) -> None:
    """Adds one line in one write, under a lock because appending is not atomic on NFS.

    A line that a killed process left unfinished stays one of its own.
    """
    line = json.dumps(record, default=float) + "\n"
    descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o666)
    try:
        lock(descriptor)
        size = os.fstat(descriptor).st_size
        torn = size > 0 and os.pread(descriptor, 1, size - 1) != b"\n"
        os.write(descriptor, ("\n" * torn + line).encode())
    finally:
        os.close(descriptor)


def read(path: Path) -> list[dict[str, Any]]:
    """All records; a line that is torn, or no record, is left out."""
    records = []
    for line in path.read_bytes().split(b"\n") if path.is_file() else ():
        try:
            record = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if isinstance(record, dict):
            records.append(record)
    return records
