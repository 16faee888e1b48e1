"""The results that there are to look at."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from stages import catalogue
from stages.artifacts import layout
from stages.artifacts.calibrated_keypoints import FILE as KEYPOINTS_FILE
from stages.artifacts.errors import ArtifactError
from stages.artifacts.layout import WorldName, parse_world_name
from stages.artifacts.meshes import MESH_FILE
from stages.artifacts.people_and_world import MEGAHUNTER_FILE
from stages.artifacts.robot_motion import MULTI_FILE, SINGLE_FILE
from stages.artifacts.verdicts import KINDS, SMALL, Measure, Verdicts, read_verdicts
from stages.running.stamps import unfinished

FILES = (MEGAHUNTER_FILE, KEYPOINTS_FILE, MESH_FILE, SINGLE_FILE, MULTI_FILE)
MADE_BY = (*catalogue.makers(layout.CALIBRATED), *catalogue.makers(layout.ROBOT_MOTION))

Stamp = dict[str, tuple[int, int]]
"""Time of change in nanoseconds since 1970, and size, of the files that are there."""


@dataclass(frozen=True)
class Result:
    """A folder of stage 3 and 4."""

    folder: Path
    name: WorldName

    @property
    def label(self) -> str:
        """The video and, as a video may have worlds of several methods, the method."""
        return f"{self.name.video} ({self.name.method})"

    @property
    def changed_s(self) -> float:
        """When its main file was written, in seconds since 1970; 0 where there is none yet."""
        try:
            return (self.folder / MEGAHUNTER_FILE).stat().st_mtime
        except OSError:
            return 0.0

    @property
    def size(self) -> int:
        """Bytes of its main file, which grow with the clip's length; 0 where there is none yet."""
        try:
            return (self.folder / MEGAHUNTER_FILE).stat().st_size
        except OSError:
            return 0

    def stamp(self) -> Stamp:
        """The state of its files: another one after any of them was written anew."""
        found = {}
        for name in FILES:
            try:
                state = (self.folder / name).stat()
            except OSError:
                continue
            found[name] = state.st_mtime_ns, state.st_size
        return found

    def half_made_by(self) -> str:
        """The stage that has begun on it and not finished; empty if none has."""
        return unfinished(self.folder.parent.parent, MADE_BY, self.name.video, self.name.method)


Order = Callable[[Result], Any]
ORDERS: dict[str, Order] = {
    "name": lambda result: result.label,
    "newest first": lambda result: -result.changed_s,
    "longest first": lambda result: -result.size,
}
"""What the list can always be sorted by."""


def orders(verdicts: Verdicts) -> dict[str, Order]:
    """What the list can be sorted by: also verdicts and measures, where clips were judged. Those
    that have none come last.
    """
    if not verdicts.clips:
        return ORDERS
    found = {**ORDERS, "verdict, worst first": lambda result: _severity(verdicts, result)}
    for measure in verdicts.measures:
        found[f"{measure.title}, worst first"] = partial(_badness, verdicts, measure)
    return found


def _severity(verdicts: Verdicts, result: Result) -> int:
    judged = verdicts.clips.get(result.name.video)
    return -KINDS.index(judged.verdict) if judged else 1


def _badness(verdicts: Verdicts, measure: Measure, result: Result) -> tuple[bool, float]:
    judged = verdicts.clips.get(result.name.video)
    value = judged.values.get(measure.name) if judged else None
    if value is None:
        return True, 0.0
    return False, -value if measure.good == SMALL else value


def verdict_on(data: Path, result: Result) -> str:
    """The verdict on a video with its reasons, in Markdown; empty where there is none."""
    judged = read_verdicts(data).clips.get(result.name.video)
    if judged is None:
        return ""
    old = "" if judged.is_of(data, result.name.video) else " (of an earlier result)"
    return "\n".join([f"**{judged.verdict}**{old}", "", *(f"- {each}" for each in judged.reasons)])


def find_results(root: Path, pattern: str = "", start: int = 0, end: int = -1) -> list[Result]:
    """Results whose path contains the pattern in any case, by name, then sliced; end -1: all."""
    found = []
    for folder in sorted(root.iterdir()) if root.is_dir() else ():
        try:
            name = parse_world_name(folder)
        except ArtifactError:
            continue
        if folder.is_dir() and pattern.lower() in str(folder).lower():
            found.append(Result(folder, name))
    return found[start : None if end == -1 else end]
