"""`videos/` of a data folder: which videos there are, and why other files are passed over.

The one list of videos that every stage, runner and status takes. The standard library of Python 3.9
reads it, on login nodes too.
"""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

SUFFIXES = (".mp4", ".mov", ".mkv", ".avi", ".webm", ".m4v")
NOTES_SUFFIX = ".json"


@dataclass(frozen=True)
class VideoFiles:
    """files: the file of every video, by the name it has in all stages, its stem; sorted.
    refused: why a video cannot be taken, by the name of its file.
    passed_over: why an entry of the folder is no video, by its name.
    """

    files: dict[str, Path]
    refused: dict[str, str]
    passed_over: dict[str, str]


def find_videos(folder: Path) -> VideoFiles:
    """The videos of a folder; hidden files are left out without a word."""
    entries = sorted(folder.iterdir()) if folder.is_dir() else []
    entries = [path for path in entries if not path.name.startswith(".")]
    videos = [path for path in entries if path.suffix.lower() in SUFFIXES and not path.is_dir()]
    stems = Counter(path.stem for path in videos)
    refused = {}
    for path in videos:
        problem = problem_with(path.stem)
        if stems[path.stem] > 1:
            problem = f"another file has the name {path.stem!r} too"
        if problem:
            refused[printable(path.name)] = f"{problem}; rename it"
    files = {path.stem: path for path in videos if printable(path.name) not in refused}
    passed_over = {
        printable(path.name): _no_video(path)
        for path in entries
        if path not in videos and not (path.suffix.lower() == NOTES_SUFFIX and path.stem in stems)
    }
    return VideoFiles(files, refused, passed_over)


def problem_with(name: str) -> str:
    """Why a video cannot have this name; empty if it can."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return "its name is not UTF-8"
    if any(ord(letter) < 32 or 127 <= ord(letter) < 160 for letter in name):
        return "its name has control characters or line breaks"
    if name != name.strip():
        return "its name begins or ends with a blank"
    return ""


def printable(name: str) -> str:
    """A name as terminals and schedulers can be given it."""
    raw = os.fsencode(name).decode(errors="backslashreplace")
    return "".join(
        letter if letter.isprintable() else letter.encode("unicode_escape").decode()
        for letter in raw
    )


def _no_video(path: Path) -> str:
    if path.is_dir():
        return "a folder; put its videos into videos/ itself"
    if path.suffix.lower() == NOTES_SUFFIX:
        return f"notes on a video that is not here ({path.stem})"
    return f"not a video file of a known kind ({' '.join(SUFFIXES)})"
