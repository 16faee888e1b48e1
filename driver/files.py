"""Files that are whole under their name or not there."""

from __future__ import annotations

import os
from pathlib import Path

from driver.settings import UsageError


def write_text(path: Path, text: str) -> None:
    """Writes a file and the folders above it. What root makes belongs to the owner of the folder
    that it is made in, so that stages that run as somebody else can write beside it.

    Raises:
        UsageError: it cannot be written.
    """
    missing = [folder for folder in path.parents if not folder.exists()]
    part = path.with_name(f".{path.name}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part.write_text(text, encoding="utf-8")
        if os.geteuid() == 0:
            owner = (missing[-1] if missing else part).parent.stat()
            for made in [*missing, part]:
                os.chown(made, owner.st_uid, owner.st_gid)
        part.replace(path)
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror}") from None


def write_names(path: Path, names: tuple[str, ...]) -> None:
    """Writes what `--names` of a stage reads: one video a line."""
    write_text(path, "".join(f"{name}\n" for name in names))
