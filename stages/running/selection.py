"""Which videos a run processes."""

from dataclasses import dataclass
from pathlib import Path

from stages.artifacts import images, layout


class SelectionError(Exception):
    """No video matches; the message lists what is there."""


@dataclass(frozen=True)
class Selection:
    """The shared flags `--pattern`, `--start-idx`, `--end-idx`, `--names` and `--list`."""

    pattern: str = ""
    start_idx: int = 0
    end_idx: int = -1
    names: frozenset[str] | None = None
    """Videos to choose from; None for all that there are."""
    list_only: bool = False
    """Say which videos are chosen and done, and process nothing."""


def choose(names: list[str], selection: Selection, where: Path | str) -> list[str]:
    """The names that are asked for and contain the pattern (in any case), sorted, then sliced.

    Args:
        names: all names there are.
        where: the folder they are in, for the error.

    Raises:
        SelectionError: nothing is there, or nothing matches.
    """
    present = sorted(names)
    if not present:
        raise SelectionError(
            f"{where}: no videos here; put videos in, run the stage that writes to this folder, or"
            " name another folder"
        )
    named = selection.names
    asked = [name for name in present if named is None or layout.video_of(name) in named]
    matching = [name for name in asked if selection.pattern.lower() in name.lower()]
    end = None if selection.end_idx == -1 else selection.end_idx
    chosen = matching[selection.start_idx : end]
    if not chosen:
        some = ", ".join(present[:20]) + (" ..." if len(present) > 20 else "")
        raise SelectionError(
            f"{where}: none of {len(present)} videos matches --pattern '{selection.pattern}' "
            f"--start-idx {selection.start_idx} --end-idx {selection.end_idx}"
            + (
                ""
                if selection.names is None
                else f" and is one of the {len(selection.names)} named"
            )
            + f"; there are: {some}"
        )
    return chosen


def videos_in(folder: Path) -> list[str]:
    """Names of the sub-folders of a stage's base folder that hold a camera folder."""
    if not folder.is_dir():
        return []
    return [
        path.name
        for path in folder.iterdir()
        if not path.name.startswith(".") and (path / layout.CAMERA).is_dir()
    ]


def padded_length(frames: int, multiple: int = 100) -> int:
    """The length of arrays for `frames` frames: the next multiple of 100, at least 100."""
    return max(1, -(-frames // multiple)) * multiple


def frame_count(images_base_dir: Path, video: str) -> int:
    """Number of frames of a video; 0 if they are not there."""
    folder = images_base_dir / video / layout.CAMERA
    try:
        return len(images.list_images(folder))
    except images.ArtifactError:
        return 0
