"""Which videos a run processes, of those that there are."""

import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from stages.artifacts import layout
from stages.artifacts.video_files import SUFFIXES
from stages.running.options import RunOptions


class SelectionError(Exception):
    """No video matches, or names cannot be read; the message says what to do."""


@dataclass(frozen=True)
class Chosen:
    """videos: sorted. refused: names that were asked for but cannot be used, with the reason.
    unknown: names that were asked for and are not there at all.
    """

    videos: list[str]
    refused: dict[str, str]
    unknown: list[str]


def choose(
    present: Iterable[str], refused: Mapping[str, str], options: RunOptions, where: Path
) -> Chosen:
    """The videos that are asked for and contain the pattern (in any case), sorted, then sliced.

    Args:
        present: names of all videos.
        refused: why others that are there cannot be used.
        where: the folder they are in, for the error.

    Raises:
        SelectionError: nothing is there, or nothing matches.
    """
    names = sorted(present)
    asked, bad, unknown = names, list(refused), []
    if options.names is not None:
        wanted = [_matched(line, names) for line in read_names(options.names)]
        unknown = [name for name in wanted if name not in names and name not in refused]
        asked = [name for name in names if name in wanted]
        bad = [name for name in bad if name in wanted]
    matching = [name for name in asked if options.pattern.lower() in name.lower()]
    wrong = {name: refused[name] for name in bad if options.pattern.lower() in name.lower()}
    end = None if options.end_idx == -1 else options.end_idx
    chosen = matching[options.start_idx : end]
    if not names and not unknown and not wrong:
        raise SelectionError(
            f"{where}: no videos here; put videos in, run the stage that writes to this folder, or"
            " name another folder"
        )
    if not chosen and not unknown and not wrong:
        some = ", ".join(names[:20]) + (" ..." if len(names) > 20 else "")
        flags = f"--start-idx {options.start_idx} --end-idx {options.end_idx}"
        among = "" if options.names is None else f" --names {options.names}"
        raise SelectionError(
            f"{where}: none of {len(names)} videos matches --pattern '{options.pattern}' {flags}"
            f"{among}; there are: {some}"
        )
    return Chosen(chosen, wrong, unknown)


def read_names(path: Path) -> list[str]:
    """The lines of a file that are not empty; `-` is standard input.

    Raises:
        SelectionError: not a text file in UTF-8.
    """
    try:
        raw = sys.stdin.buffer.read() if str(path) == "-" else path.read_bytes()
        lines = raw.decode("utf-8-sig").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise SelectionError(f"--names {path}: {error}; give a text file in UTF-8") from None
    return [line for line in (line.removesuffix("\r") for line in lines) if line]


def _matched(line: str, names: list[str]) -> str:
    """The name that a line means, which may be a file's name with its ending."""
    path = Path(line)
    is_file_name = path.suffix.lower() in SUFFIXES and path.stem in names
    return path.stem if is_file_name and line not in names else line


def folders_with_frames(folder: Path) -> list[str]:
    """Names of the sub-folders of a stage's base folder that hold a camera folder."""
    if not folder.is_dir():
        return []
    return [
        path.name
        for path in folder.iterdir()
        if not path.name.startswith(".") and (path / layout.CAMERA).is_dir()
    ]
