"""Whether files are still those that an earlier run saw: by their content, wherever they lie."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stages.running import machine
from stages.running.overlap import ahead

PICTURES = "vis"
"""Folders of this name hold pictures for people, which are no results."""


@dataclass(frozen=True)
class Fingerprint:
    """One file as a run saw it.

    status: size, times of the last change to content and to the file itself, and its number on the
    disk. While these stay, nobody has written to it, and it need not be read again; nothing is
    known by them.
    """

    sha256: str
    status: tuple[int, ...]


Fingerprints = dict[str, Fingerprint]
"""By role and place; see `place`."""


def files_in(path: Path, suffixes: tuple[str, ...] = ()) -> list[Path]:
    """The file itself, or all files below a folder but hidden ones and pictures.

    suffixes: of the files that are taken of a folder, in any case; empty for all.
    """
    if path.is_file():
        return [path]
    found = []
    for file in sorted(path.rglob("*")):
        parts = file.relative_to(path).parts
        left_out = any(part.startswith(".") for part in parts) or PICTURES in parts[:-1]
        if not left_out and (not suffixes or file.suffix.lower() in suffixes) and file.is_file():
            found.append(file)
    return found


def place(file: Path, data_folder: Path) -> str:
    """Where a file lies, without what depends on where its data folder lies."""
    absolute = file.absolute()
    inside = absolute.is_relative_to(data_folder)
    return (absolute.relative_to(data_folder) if inside else Path(file.name)).as_posix()


def take(files: Mapping[str, Path], known: Iterable[Fingerprint] = ()) -> Fingerprints:
    """Fingerprints of files, under the same keys.

    Args:
        known: earlier fingerprints; a file of the same status is not read again.
    """
    seen = {each.status: each for each in known}

    def one(file: Path) -> Fingerprint:
        status = file.stat()
        now = (status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino)
        return seen.get(now) or Fingerprint(_sha256(file), now)

    found = ahead(one, files.values(), 2 * machine.cores())
    return dict(zip(files, found, strict=True))


def difference(old: Fingerprints, new: Fingerprints) -> str:
    """Says in a few words which file changed first, or nothing."""
    for key, fingerprint in new.items():
        if key not in old:
            return f"{key} is new"
        if old[key].sha256 != fingerprint.sha256:
            return f"{key} changed"
    return next((f"{key} is gone" for key in old if key not in new), "")


def to_json(fingerprints: Fingerprints) -> dict[str, Any]:
    return {key: {"sha256": f.sha256, "status": f.status} for key, f in fingerprints.items()}


def from_json(record: dict[str, Any]) -> Fingerprints:
    return {
        key: Fingerprint(entry["sha256"], tuple(int(number) for number in entry["status"]))
        for key, entry in record.items()
    }


def _sha256(path: Path) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
