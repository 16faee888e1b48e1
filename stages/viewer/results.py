"""The results that there are to look at."""

from dataclasses import dataclass
from pathlib import Path

from stages.artifacts.errors import ArtifactError
from stages.artifacts.layout import WorldName, parse_world_name
from stages.artifacts.people_and_world import MEGAHUNTER_FILE


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


ORDERS = {
    "name": lambda result: result.label,
    "newest first": lambda result: -result.changed_s,
    "longest first": lambda result: -result.size,
}
"""What the list can be sorted by."""


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
