"""`videos/<video>.json`: what the one who filmed knows, beside the video. Every entry is optional.

`{"height_m": 1.83}` is the height of everybody in the video, `{"height_m": {"1": 1.83, "2": 1.66}}`
gives heights by the id that stage0-sam2 gave.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from stages.artifacts.errors import ArtifactError
from stages.artifacts.json_files import read_json

EVERYBODY = 0
"""Ids start at 1."""


@dataclass(frozen=True)
class VideoNotes:
    """heights_m: heights by person id; under `EVERYBODY` that of all who are not named."""

    heights_m: Mapping[int, float] = field(default_factory=dict)

    def height_of(self, person: int) -> float | None:
        return self.heights_m.get(person, self.heights_m.get(EVERYBODY))


def notes_path(folder: Path, video: str) -> Path:
    return folder / f"{video}.json"


def read_notes(path: Path) -> VideoNotes:
    """The notes on a video; empty ones if there is no such file.

    Raises:
        ArtifactError: damaged, or a height that is no number.
    """
    if not path.exists():
        return VideoNotes()
    content = read_json(path, 'write {"height_m": 1.80}')
    given: Any = content.get("height_m", {}) if isinstance(content, dict) else None
    try:
        entries: dict[Any, Any] = given if isinstance(given, dict) else {EVERYBODY: given}
        heights = {int(person): float(height) for person, height in entries.items()}
    except (TypeError, ValueError):
        heights = {EVERYBODY: math.nan}
    if not all(math.isfinite(height) for height in heights.values()):
        raise ArtifactError(
            path, "has no usable height_m", 'write metres, as in {"height_m": 1.80}'
        )
    return VideoNotes(heights)
