"""A site on this machine, and a list of weights that come from there."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from stages.weights import download
from stages.weights.manifest import read_manifest
from tests.weights.server import Site, serving

ABOUT = {
    "title": "A tiny network",
    "folder": ".",
    "stage": "stage0-tiny",
    "method": "official",
    "code": "MIT",
    "weights": "CC0",
    "default": True,
}


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    """Attempts follow on one another without a pause."""
    monkeypatch.setattr(download, "PAUSE_S", 0.0)
    with serving(Site()) as running:
        yield running


Listed = Callable[..., Path]


@pytest.fixture
def listed(tmp_path: Path) -> Listed:
    """Writes a manifest with these tables, each over what they all have, and returns it."""

    def write(**tables: dict[str, Any]) -> Path:
        path = tmp_path / "manifest" / "manifest.toml"
        path.parent.mkdir(exist_ok=True)
        lines = [f"{key} = {_toml({**ABOUT, **table})}\n" for key, table in tables.items()]
        path.write_text("".join(lines))
        read_manifest.cache_clear()
        return path

    return write


def _toml(value: Any) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{json.dumps(k)} = {_toml(v)}" for k, v in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(map(_toml, value)) + "]"
    return json.dumps(value)
