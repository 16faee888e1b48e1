"""What to do about a file of weights that is missing or wrong: the command, word for word."""

import shlex
from pathlib import Path

from stages.weights.errors import LONGEST_PATH, WeightsError, shown
from stages.weights.locate import DEMO_ROOT, ROOT
from stages.weights.looks import what_is_wrong
from stages.weights.manifest import Checkpoint, read_manifest

MOUNTED = Path("/weights")
"""Where images see the host's folder of `WEIGHTS=`, whose name they do not know."""


def remedy(path: Path) -> str:
    """For a file that stages look for, by its name and folder."""
    if path.is_relative_to(DEMO_ROOT):
        return "`git checkout data/weights` brings it"
    for checkpoint in read_manifest().values():
        folder = Path(checkpoint.folder)
        for file in checkpoint.files:
            if path.name == file.name and path.parts[-len(folder.parts) - 1 : -1] == folder.parts:
                depth = len(folder.parts)
                return f"`{command(checkpoint, path.parents[depth])}` {_what_it_does(checkpoint)}"
    return "put the right one there"


def require(path: Path) -> None:
    """Whether a file is there, and looks like one.

    Raises:
        WeightsError: it is missing, a folder, empty, a web page or cut short.
    """
    if not path.exists():
        raise WeightsError(f"{shown(path)} is missing: {remedy(path)}")
    if path.is_dir():
        raise WeightsError(f"{shown(path)} is a folder, expected a file: {remedy(path)}")
    if wrong := what_is_wrong(path):
        raise WeightsError(f"{shown(path)} {wrong}: {remedy(path)}")


def require_whole(checkpoint: Checkpoint, folder: Path) -> None:
    """Whether all files of a checkpoint are in a folder, and whole.

    Raises:
        WeightsError: one is not.
    """
    if fault := checkpoint.fault(folder):
        raise WeightsError(f"{fault}: {remedy(folder / checkpoint.files[0].name)}")


def command(checkpoint: Checkpoint, root: Path = ROOT) -> str:
    """What brings a checkpoint into a folder of weights."""
    words = ["make", "weights", f"CHECKPOINTS={checkpoint.key}"]
    if checkpoint.accept and not checkpoint.content:
        words.append(f"ACCEPT_LICENSES={checkpoint.accept}")
    if root.resolve() != ROOT:
        is_said = root != MOUNTED and len(str(root)) <= LONGEST_PATH
        words.append(f"WEIGHTS={shlex.quote(str(root))}" if is_said else "WEIGHTS=...")
    return " ".join(words)


def _what_it_does(checkpoint: Checkpoint) -> str:
    return "says where to get it" if checkpoint.content else "brings it"
