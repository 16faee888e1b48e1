"""What to do about a file of weights that is missing or wrong: the command, word for word."""

import shlex
from pathlib import Path

from stages.weights.errors import LONGEST_LINE, WeightsError, shown, shown_text
from stages.weights.locate import DEMO_ROOT, ROOT
from stages.weights.looks import what_is_wrong
from stages.weights.manifest import Checkpoint, read_manifest

MOUNTED = Path("/weights")
"""Where images see the host's folder of `WEIGHTS=`, whose name they do not know."""


def remedy(path: Path, longest: int = LONGEST_LINE) -> str:
    """For a file that stages look for, by its name and folder.

    longest: what names the folder of weights leaves it out beyond so many characters.
    """
    if path.is_relative_to(DEMO_ROOT):
        return "`git checkout data/weights` brings it"
    for checkpoint in read_manifest().values():
        folder = Path(checkpoint.folder)
        for file in checkpoint.files:
            if path.name == file.name and path.parts[-len(folder.parts) - 1 : -1] == folder.parts:
                root, does = path.parents[len(folder.parts)], _what_it_does(checkpoint)
                found = f"`{command(checkpoint, root)}` {does}"
                if len(found) > longest and root.resolve() != ROOT:
                    found = f"`{command(checkpoint, MOUNTED)}` {does}"
                return found
    return "put the right one there"


def with_remedy(said: str, path: Path) -> str:
    """What is wrong with a file of weights and what to do about it, in less than 200 characters.

    Where there is little room, the folder of weights is not named, then `said` is cut.
    """
    what_to_do = remedy(path, LONGEST_LINE - len(said) - 2)
    return f"{shown_text(said, LONGEST_LINE - len(what_to_do) - 2)}: {what_to_do}"


def require(path: Path) -> None:
    """Whether a file is there, and looks like one.

    Raises:
        WeightsError: it is missing, a folder, empty, a web page or cut short.
    """
    if not path.exists():
        raise WeightsError(with_remedy(f"{shown(path)} is missing", path))
    if path.is_dir():
        raise WeightsError(with_remedy(f"{shown(path)} is a folder, expected a file", path))
    if wrong := what_is_wrong(path):
        raise WeightsError(with_remedy(f"{shown(path)} {wrong}", path))


def require_whole(checkpoint: Checkpoint, folder: Path) -> None:
    """Whether all files of a checkpoint are in a folder, and whole.

    Raises:
        WeightsError: one is not.
    """
    for file in checkpoint.files:
        path = folder / file.name
        if fault := file.fault(path):
            raise WeightsError(with_remedy(f"{shown(path)} is {fault}", path))


def command(checkpoint: Checkpoint, root: Path = ROOT) -> str:
    """What brings a checkpoint into a folder of weights."""
    words = ["make", "weights", f"CHECKPOINTS={checkpoint.key}"]
    if checkpoint.accept and not checkpoint.content:
        words.append(f"ACCEPT_LICENSES={checkpoint.accept}")
    if root.resolve() != ROOT:
        words.append("WEIGHTS=..." if root == MOUNTED else f"WEIGHTS={shlex.quote(str(root))}")
    return " ".join(words)


def _what_it_does(checkpoint: Checkpoint) -> str:
    return "says where to get it" if checkpoint.content else "brings it"
