"""Whether a result can be read to its end, where nothing else speaks for it."""

from collections.abc import Callable
from pathlib import Path

from stages.artifacts.errors import ArtifactError
from stages.artifacts.h5tree import Group, opened
from stages.artifacts.images import read_image
from stages.artifacts.json_files import read_json
from stages.artifacts.meshes import read_cloud, read_mesh
from stages.artifacts.npz_files import read_npz
from stages.artifacts.pickles import read_pickle
from stages.artifacts.video_files import PICTURE_SUFFIXES

_LEAST_SHARE = 0.9
"""Of the frames: other tools leave out some."""


def damage(path: Path) -> str:
    """What is wrong with a file, as its reader says it; empty for nothing, or an unknown kind."""
    read = _READERS.get(path.suffix.lower())
    try:
        if read is not None:
            read(path)
    except ArtifactError as error:
        return str(error)
    return ""


def lacking(found: int, expected: int, what: str) -> str:
    """Says that a result is far smaller than its frames say; empty if it is not."""
    return f"{found} of {expected} {what} are there" if found < _LEAST_SHARE * expected else ""


def _read_hdf5(path: Path) -> None:
    def read(group: Group) -> None:
        for name in group.names:
            if group.holds_group(name):
                read(group.group(name))
            elif group.dataset(name).dtype.kind in "biuf":
                group.array(name)
            else:
                group.strings(name)

    with opened(path, "") as file:
        read(file)


_READERS: dict[str, Callable[[Path], object]] = {
    ".h5": _read_hdf5,
    ".json": lambda path: read_json(path, ""),
    ".npz": lambda path: read_npz(path, ""),
    ".obj": read_mesh,
    ".pkl": read_pickle,
    ".ply": read_cloud,
    **dict.fromkeys(PICTURE_SUFFIXES, read_image),
}
