"""Files that people get by registration, known by their content: they have no public checksum."""

import fnmatch
import os
import shutil
import zipfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from stages.artifacts.atomic import replacing
from stages.artifacts.errors import ArtifactError
from stages.weights.errors import WeightsError, shown

SMALLEST = 1_000_000
"""Nothing smaller is looked into."""


def is_smpl(path: Path) -> str:
    """Why a file is no body of SMPL's own; empty if it is one."""
    from stages.body.model import load_body

    try:
        body = load_body(path)
    except ArtifactError as error:
        return str(error)
    is_other = body.keypoint_vertices is not None or body.mirror_vertices is not None
    return f"{shown(path)} is another body in SMPL's layout" if is_other else ""


def is_bstro(path: Path) -> str:
    """Why a file is not BSTRO's official checkpoint; empty if it is."""
    from stages.weights.reading import read_torch
    from stages.weights.strict import entry

    marks = {"conv_learn_tokens.weight": (431, 49, 1), "upsampling2.weight": (6890, 1723)}
    try:
        state = entry(read_torch(path), "", path, "BSTRO")
    except WeightsError as error:
        return str(error)
    for key, shape in marks.items():
        found = tuple(getattr(state.get(key), "shape", ())) or "none"
        if found != shape:
            return f"{shown(path)} is no BSTRO: {key}: expected {shape}, found {found}"
    return ""


RECOGNISERS: dict[str, Callable[[Path], str]] = {"smpl": is_smpl, "bstro": is_bstro}
"""By `content` of the manifest: why a file is something else, or nothing."""


def find(
    content: str, source: Mapping[str, Any], target: Path, root: Path, taken: set[Path]
) -> Path | None:
    """Puts the file that `target` is to be there, if it lies in the folder of weights under
    another name, or in an archive. The file that was found stays. Returns it.

    Args:
        source: of kind "hand".
        taken: files that are known to be something else.
    """
    member = source.get("members", {}).get(target.name)
    for path in _candidates({root, target.parent}, taken):
        if member and zipfile.is_zipfile(path) and _extracted(path, member, target, content):
            return path
        if fnmatch.fnmatch(path.name.lower(), source["like"]) and not RECOGNISERS[content](path):
            target.parent.mkdir(parents=True, exist_ok=True)
            try:
                os.link(path, target)
            except OSError:  # Another disk, or one without links.
                with replacing(target) as temporary:
                    shutil.copyfile(path, temporary)
            return path
    return None


def _candidates(folders: set[Path], taken: set[Path]) -> Iterator[Path]:
    for folder in sorted(folder for folder in folders if folder.is_dir()):
        for path in sorted(folder.iterdir()):
            is_other = path in taken or path.name.startswith(".")
            if path.is_file() and not is_other and path.stat().st_size >= SMALLEST:
                yield path


def _extracted(archive: Path, member: str, target: Path, content: str) -> bool:
    with zipfile.ZipFile(archive) as opened:
        names = [name for name in opened.namelist() if name.split("/")[-1] == member]
        if not names:
            return False
        with replacing(target) as temporary:
            with opened.open(names[0]) as inside, open(temporary, "wb") as out:
                shutil.copyfileobj(inside, out)
            if wrong := RECOGNISERS[content](temporary):
                raise WeightsError(f"{member} in {shown(archive)}: {wrong}"[:190])
    return True
