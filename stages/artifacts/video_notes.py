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

HEIGHTS = "height_m"
SMALLEST_M, LARGEST_M = 0.4, 2.7
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
        ArtifactError: damaged, an entry that is not known, or a height that is none of a person.
    """
    if not path.exists():
        return VideoNotes()
    content = read_json(path, 'write {"height_m": 1.80}')
    if not isinstance(content, dict):
        raise ArtifactError(path, "holds no notes", 'write {"height_m": 1.80}')
    if unknown := sorted(set(content) - {HEIGHTS}):
        raise ArtifactError(
            path,
            f"has an entry that is not known, {unknown[0]!r}",
            f'the only one is "{HEIGHTS}", in metres: write {{"height_m": 1.80}} or remove it',
        )
    given: Any = content.get(HEIGHTS, {})
    try:
        entries: dict[Any, Any] = given if isinstance(given, dict) else {EVERYBODY: given}
        heights = {int(person): float(height) for person, height in entries.items()}
    except (TypeError, ValueError, OverflowError):
        heights = {EVERYBODY: math.nan}
    if isinstance(given, bool) or (isinstance(given, dict) and any(key < 1 for key in heights)):
        heights = {EVERYBODY: math.nan}
    for height in heights.values():
        if not SMALLEST_M <= height <= LARGEST_M:
            as_metres = height / 100 if SMALLEST_M <= height / 100 <= LARGEST_M else 1.8
            raise ArtifactError(
                path,
                "has no usable height_m" + ("" if math.isnan(height) else f": {height:g} m"),
                f'write metres, as in {{"height_m": {as_metres:.2f}}}; ids of people start at 1',
            )
    return VideoNotes(heights)
