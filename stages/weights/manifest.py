"""`manifest.toml`: where checkpoints come from, what they are, and whether those here are whole.

What the manifest does not know of a file, size and checksum, is noted at its first download in
`manifest.lock` beside it, and holds from then on.
"""

import hashlib
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from stages.weights.lock import lock_path, read_pins
from stages.weights.looks import what_is_wrong

MANIFEST = Path(__file__).with_name("manifest.toml")


@dataclass(frozen=True)
class WeightsFile:
    """One file of a checkpoint. `size` in bytes and `sha256` are empty where nobody knows them
    yet; `about` is a size that was read somewhere."""

    name: str
    size: int = 0
    sha256: str = ""
    about: int = 0

    def fault(self, path: Path) -> str:
        """What is wrong with a copy of the file: `missing`, `damaged` and how, or nothing."""
        if not path.is_file():
            return "missing"
        if wrong := what_is_wrong(path):
            return f"damaged: it {wrong}"
        if self.size and (size := path.stat().st_size) != self.size:
            return f"damaged: {size} bytes, expected {self.size}"
        if self.sha256 and (found := sha256_of(path)) != self.sha256:
            return f"damaged: sha256 {found[:12]}…, expected {self.sha256[:12]}…"
        return ""


@dataclass(frozen=True)
class Checkpoint:
    """What a table of the manifest says; code and weights are licences."""

    key: str
    title: str
    folder: str
    stage: str
    method: str
    code: str
    weights: str
    files: tuple[WeightsFile, ...]
    sources: tuple[Mapping[str, Any], ...]
    """Each with its `kind`, and what that kind needs; the first that has the files is taken."""
    default: bool = False
    """Whether it is fetched where none is named."""
    accept: str = ""
    """The name by which its licence has to be accepted; empty where commercial use is allowed."""
    content: str = ""
    """What `recognise` knows the files by, where nobody could publish a checksum."""

    @property
    def size(self) -> int:
        """Of all files, in bytes, as far as it is known."""
        return sum(file.size or file.about for file in self.files)

    def place(self, name: str) -> str:
        """Of a file, below the folder of weights."""
        return place(self.folder, name)

    def paths(self, root: Path) -> dict[str, Path]:
        """Where the files lie below a folder of weights."""
        return {file.name: root / self.folder / file.name for file in self.files}

    def fault(self, folder: Path) -> str:
        """The first file of a folder that is missing or damaged; empty if all are whole."""
        for file in self.files:
            if fault := file.fault(folder / file.name):
                return f"{folder / file.name} is {fault}"
        return ""


@cache
def read_manifest(path: Path = MANIFEST) -> dict[str, Checkpoint]:
    """All checkpoints, by key, with what the lock file knows of them."""
    tables = tomllib.loads(path.read_text(encoding="utf-8"))
    pins = read_pins(lock_path(path))
    return {key: _checkpoint(key, table, pins) for key, table in tables.items()}


def _checkpoint(key: str, table: dict[str, Any], pins: Mapping[str, Mapping]) -> Checkpoint:
    files = []
    for each in table.pop("files"):
        pin = pins.get(place(table["folder"], each["name"]), {})
        known = {name: pin[name] for name in ("size", "sha256") if name in pin}
        files.append(WeightsFile(**{**known, **each}))
    sources = tuple(table.pop("sources"))
    return Checkpoint(key=key, files=tuple(files), sources=sources, **table)


def place(folder: str, name: str) -> str:
    """Of a file, below the folder of weights."""
    return (Path(folder) / name).as_posix()


def sha256_of(path: Path) -> str:
    """Checksum of a file."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
