"""The one list of videos: pattern and slice, applied once to what lies in the data folder."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from driver.settings import Settings, UsageError
from stages import catalogue
from stages.artifacts import layout
from stages.artifacts.curation import FILE, decisions_of
from stages.artifacts.video_files import VideoFiles, find_videos, printable, problem_with

SHOWN = 20
"""At most so many names in a line."""


@dataclass(frozen=True)
class Chosen:
    """names: sorted; what every stage is given. refused: why a video that is asked for cannot be
    taken. notes: lines that say what else was left out, and why. only_frames: there are no videos,
    but frames of them.
    """

    names: tuple[str, ...]
    refused: dict[str, str]
    notes: tuple[str, ...]
    only_frames: bool = False


def choose(settings: Settings) -> Chosen:
    """The videos that PATTERN, START_IDX and END_IDX ask for.

    Where `videos/` is missing or empty, those whose frames another tool left in `input_images`.

    Raises:
        UsageError: no data folder, or none of its videos is asked for.
    """
    folder = settings.data / "videos"
    if not settings.data.is_dir():
        raise UsageError(
            f"the data folder {printable(str(settings.data))} is not there: set DATA to the folder"
            " that holds videos/"
        )
    found, only_frames = _found(settings.data)
    if only_frames:
        folder = settings.data / layout.IMAGES
    asked = settings.pattern.lower()
    refused = {name: why for name, why in found.refused.items() if asked in name.lower()}
    matching = [name for name in sorted(found.files) if asked in name.lower()]
    end = None if settings.end_idx == -1 else settings.end_idx
    names = tuple(matching[settings.start_idx : end])
    if not names and not refused:
        raise UsageError(
            "; ".join(
                [_none_of(sorted(found.files), folder, settings), *_passed_over(found.passed_over)]
            )
        )
    notes = list(_notes(settings.data, found, only_frames))
    if settings.curated:
        names, of_curation = _curated(settings.data, names)
        notes += of_curation
        if not names and not refused:
            raise UsageError(f"{printable(str(settings.data / FILE))} rejects all of these videos")
    return Chosen(names, refused, tuple(notes), only_frames)


def _curated(data: Path, names: tuple[str, ...]) -> tuple[tuple[str, ...], list[str]]:
    """The videos that nobody rejected, and lines on what was decided."""
    decisions = decisions_of(data)
    rejected = [name for name in names if name in decisions and decisions[name].is_rejected]
    decided = [name for name in names if name in decisions]
    kept = [name for name in decided if name not in rejected]
    said = {
        "rejected": rejected,
        "trimmed": [name for name in kept if decisions[name].is_trimmed],
        "with a person chosen": [name for name in kept if decisions[name].person is not None],
        "changed since somebody decided": [
            name for name in decided if decisions[name].has_changed(data, name)
        ],
        "nobody has decided about": [name for name in names if name not in decided],
    }
    notes = [f"{FILE}: {what}: {listed(those)}" for what, those in said.items() if those]
    return tuple(name for name in names if name not in rejected), notes


def names_in(data: Path) -> list[str]:
    """All videos of a data folder that can be taken, sorted; none where there is no folder."""
    return sorted(_found(data)[0].files)


def _found(data: Path) -> tuple[VideoFiles, bool]:
    """The videos, and whether there are only frames of them."""
    found = find_videos(data / "videos")
    only_frames = not (found.files or found.refused or found.passed_over)
    return (_with_frames(data) if only_frames else found), only_frames


def _with_frames(data: Path) -> VideoFiles:
    """Videos of which there are frames."""
    names = sorted(_with_results(data, (layout.IMAGES,)))
    problems = {printable(name): problem_with(name) for name in names if problem_with(name)}
    files = {name: data / layout.IMAGES / name for name in names if not problem_with(name)}
    return VideoFiles(files, problems, {})


def _notes(data: Path, found: VideoFiles, only_frames: bool) -> Iterator[str]:
    if only_frames:
        yield f"no videos in {data / 'videos'}: those of {data / layout.IMAGES} are taken"
        return
    yield from _passed_over(found.passed_over)
    if gone := sorted(_with_results(data) - {*found.files, *found.refused}):
        yield f"left as they are, no longer in videos/: {listed(gone)}"


def listed(names: list[str] | tuple[str, ...]) -> str:
    """Names in one line."""
    shown = ", ".join(printable(name) for name in names[:SHOWN])
    return shown + (f" and {len(names) - SHOWN} more" if len(names) > SHOWN else "")


def _passed_over(reasons: dict[str, str]) -> Iterator[str]:
    """A line a reason."""
    by_reason = defaultdict(list)
    for name, reason in reasons.items():
        by_reason[reason].append(name)
    for reason, names in by_reason.items():
        yield f"passed over in videos/: {listed(names)}: {reason}"


def _none_of(present: list[str], folder: Path, settings: Settings) -> str:
    if not present:
        videos = printable(str(settings.data / "videos"))
        return f"no videos in {videos}: put some there, or set DATA to the folder that has videos/"
    where, pattern = printable(str(folder)), printable(settings.pattern)
    return (
        f"{where}: none of {len(present)} videos matches PATTERN='{pattern}'"
        f" START_IDX={settings.start_idx} END_IDX={settings.end_idx}; there are: {listed(present)}"
    )


def _with_results(data: Path, kinds: tuple[str, ...] = ()) -> set[str]:
    """Videos of which a stage has left results of these kinds, or of any."""
    kinds = kinds or tuple(kind for entry in catalogue.STAGES for kind in entry.makes)
    found = set()
    for folder in map(data.__truediv__, kinds):
        for path in folder.iterdir() if folder.is_dir() else ():
            is_of_stage_0 = (path / layout.CAMERA).is_dir()
            name = path.name if is_of_stage_0 else layout.video_of(path.name)
            is_result = is_of_stage_0 or name != path.name
            if is_result and not path.name.startswith("."):
                found.add(name)
    return found
