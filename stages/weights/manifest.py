"""`manifest.toml`: where checkpoints come from, what they are, and whether those here are whole."""

import hashlib
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

MANIFEST = Path(__file__).with_name("manifest.toml")


class WeightsError(Exception):
    """Weights are missing, damaged or not to be had. One line: what is wrong; what to do."""


@dataclass(frozen=True)
class WeightsFile:
    """One file of a checkpoint; the size is in bytes."""

    name: str
    size: int
    sha256: str

    def fault(self, path: Path) -> str:
        """What is wrong with a copy of the file: `missing`, `damaged`, or nothing."""
        if not path.is_file():
            return "missing"
        if path.stat().st_size != self.size or sha256_of(path) != self.sha256:
            return "damaged"
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

    @property
    def command(self) -> str:
        """What brings it."""
        return f"python -m stages.weights.fetch {self.key}"

    def fault(self, folder: Path) -> str:
        """The first file of a folder that is missing or damaged; empty if all are whole."""
        for file in self.files:
            if fault := file.fault(folder / file.name):
                return f"{folder / file.name} is {fault}"
        return ""

    def check(self, folder: Path) -> None:
        """Whether all files are in a folder, and whole.

        Raises:
            WeightsError: one is not.
        """
        if fault := self.fault(folder):
            raise WeightsError(f"{fault}: `make setup` or `{self.command}` brings it")


@cache
def read_manifest(path: Path = MANIFEST) -> dict[str, Checkpoint]:
    """All checkpoints, by key."""
    tables = tomllib.loads(path.read_text(encoding="utf-8"))
    return {key: _checkpoint(key, table) for key, table in tables.items()}


def _checkpoint(key: str, table: dict[str, Any]) -> Checkpoint:
    files = tuple(WeightsFile(**each) for each in table.pop("files"))
    return Checkpoint(key=key, files=files, sources=tuple(table.pop("sources")), **table)


def sha256_of(path: Path) -> str:
    """Checksum of a file."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
