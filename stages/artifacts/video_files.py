"""`videos/` of a data folder: which videos there are, and why other files are passed over.

The one list of videos that every stage, runner and status takes. The standard library of Python 3.9
reads it, on login nodes too.
"""

from __future__ import annotations

import os
import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from stages.artifacts.layout import WorldName

SUFFIXES = (
    *(".mp4", ".mov", ".mkv", ".avi", ".webm", ".m4v", ".3gp", ".3g2", ".mts", ".m2ts", ".ts"),
    *(".mpg", ".mpeg", ".gif", ".wmv", ".flv", ".ogv"),
)
PICTURE_SUFFIXES = (".jpg", ".jpeg", ".png")
NO_FILE = "it is a pipe, a device or a link to nothing"
NOTES_SUFFIX = ".json"
LONGEST_NAME = 255 - len(WorldName("megasam", "", 99999, 99999, 99999).megahunter_stem + ".h5")
"""Bytes of a name with which every later file can be named, too."""


@dataclass(frozen=True)
class VideoFiles:
    """files: the file of every video, or its folder of pictures, by the name it has in all stages:
    the stem of the file; sorted.
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
    names = {path: _video_name(path) for path in entries if _is_video(path)}
    uses = Counter(names.values())
    refused = {}
    for path, name in names.items():
        problem = problem_with(name) or ("" if _is_whole(path) else NO_FILE)
        if uses[name] > 1:
            problem = f"another file has the name {name!r} too"
        if problem:
            refused[printable(path.name)] = f"{problem}; rename it"
    files = {name: path for path, name in names.items() if printable(path.name) not in refused}
    others = [path for path in entries if path not in names]
    notes = [path for path in others if path.suffix.lower() == NOTES_SUFFIX and path.is_file()]
    for path in notes:
        # Beside no videos at all, notes are on frames that other tools have left.
        if names and path.stem not in uses:
            refused[printable(path.name)] = (
                f"notes on a video that is not here ({printable(path.stem)}); name it like its"
                " video, in the same case, or remove it"
            )
    passed_over = {printable(path.name): _no_video(path) for path in others if path not in notes}
    return VideoFiles(files, refused, passed_over)


def pictures_in(folder: Path) -> list[Path]:
    """The pictures of a folder, numbers in their names counted: `2.jpg` before `10.jpg`."""
    found = [path for path in folder.iterdir() if _is_picture(path)]
    return sorted(
        found,
        key=lambda path: [
            (0, int(part), "") if part.isdecimal() else (1, 0, part)
            for part in re.split(r"(\d+)", path.name)
        ],
    )


def _is_video(path: Path) -> bool:
    if path.is_dir():
        return any(_is_picture(each) for each in path.iterdir())
    return path.suffix.lower() in SUFFIXES


def _is_whole(path: Path) -> bool:
    return path.is_file() or path.is_dir()


def _is_picture(path: Path) -> bool:
    return path.suffix.lower() in PICTURE_SUFFIXES and not path.name.startswith(".")


def _video_name(path: Path) -> str:
    return path.name if path.is_dir() else path.stem


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
    if len(name.encode()) > LONGEST_NAME:
        return f"its name has {len(name.encode())} bytes, over {LONGEST_NAME}"
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
        return "a folder without pictures; put its videos into videos/ itself"
    if path.suffix.lower() in PICTURE_SUFFIXES:
        return "a single picture; put the pictures of a clip into a folder of its own"
    return f"not a video file of a known kind ({' '.join(SUFFIXES)})"
