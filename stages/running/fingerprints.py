"""Whether files are still those that an earlier run saw."""

import hashlib
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True)
class Fingerprint:
    """One file as a run saw it."""

    size: int
    modified_ns: int
    digest: str
    """SHA-256 of the content."""


Fingerprints = dict[str, Fingerprint]


def expand(path: Path) -> list[Path]:
    """The file itself, or all files below a folder, hidden ones aside; empty if missing."""
    if path.is_file():
        return [path]
    return sorted(
        file
        for file in path.rglob("*")
        if file.is_file() and not any(part.startswith(".") for part in file.relative_to(path).parts)
    )


def digest(path: Path) -> str:
    """SHA-256 of a file's content, in hexadecimal."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def take(paths: Iterable[Path], known: Fingerprints | None = None) -> Fingerprints:
    """Fingerprints of files and of everything in folders.

    Args:
        known: earlier fingerprints; a file of the same size and time is not read again.
    """
    known = known or {}
    found: Fingerprints = {}
    for path in paths:
        for file in expand(path):
            status = file.stat()
            old = known.get(str(file))
            if old and (old.size, old.modified_ns) == (status.st_size, status.st_mtime_ns):
                found[str(file)] = old
            else:
                found[str(file)] = Fingerprint(status.st_size, status.st_mtime_ns, digest(file))
    return found


def difference(old: Fingerprints, new: Fingerprints) -> str:
    """Says in a few words which file changed first, or nothing."""
    for file, fingerprint in new.items():
        if file not in old:
            return f"{file} is new"
        if old[file].digest != fingerprint.digest:
            return f"{file} changed"
    for file in old:
        if file not in new:
            return f"{file} is gone"
    return ""


def to_json(fingerprints: Fingerprints) -> dict:
    return {file: asdict(fingerprint) for file, fingerprint in fingerprints.items()}


def from_json(record: dict) -> Fingerprints:
    return {file: Fingerprint(**entry) for file, entry in record.items()}
