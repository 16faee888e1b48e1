"""Sizes and checksums of files whose publishers tell none, as they came the first time."""

import json
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from stages.artifacts.atomic import write_text
from stages.weights.errors import WeightsError

_HEAD = """\
# Files whose publishers tell no checksum, as `make weights` got them first. What comes later under
# the same name has to be the same. Keep this file with your own changes, or delete a line to
# accept another file.
"""


def lock_path(manifest: Path) -> Path:
    """The lock file of a manifest."""
    return manifest.with_suffix(".lock")


def read_pins(path: Path) -> dict[str, dict[str, Any]]:
    """size, sha256 and source, by place below the folder of weights.

    Raises:
        WeightsError: the file is damaged.
    """
    if not path.exists():
        return {}
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise WeightsError(f"{path} is damaged ({error}): mend it or delete it") from None


def add_pins(path: Path, pins: Mapping[str, Mapping[str, Any]]) -> None:
    """Adds to the lock file; what it has already stays as it is.

    Raises:
        WeightsError: it cannot be written.
    """
    every = {**pins, **read_pins(path)}
    lines = [
        f"{json.dumps(place)} = {{ size = {pin['size']}, sha256 = {json.dumps(pin['sha256'])},"
        f" source = {json.dumps(pin['source'])} }}\n"
        for place, pin in sorted(every.items())
    ]
    try:
        write_text(path, _HEAD + "".join(lines))
    except OSError as error:
        raise WeightsError(f"{path} cannot be written ({error.strerror}): make it so") from None
