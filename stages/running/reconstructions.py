"""Which reconstruction of a video is the one that later stages go on with.

A video may have several: by several world methods, of frames that are no more, or of other tools.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from stages import catalogue
from stages.artifacts import images, layout
from stages.artifacts.errors import ArtifactError
from stages.artifacts.layout import WorldName
from stages.running.flags import flag
from stages.running.stage import VideoError
from stages.running.stamps import read_stamp, stamp_path


def world_flag() -> Any:
    """A field for the world method whose reconstructions a stage goes on with."""
    return flag(
        "",
        "World method to go on with, such as sfm.",
        changes_results=False,
        shown_default="the preferred one that there is",
    )


def names_in(folder: Path) -> list[WorldName]:
    """Names of the reconstructions in a folder: files of stage 1 or 2, or folders of stage 3."""
    found = []
    for path in sorted(folder.glob("*_reconstruction_results_*")) if folder.is_dir() else ():
        is_one = path.suffix == ".h5" if path.is_file() else path.name.startswith("megahunter_")
        if is_one and not path.name.startswith("."):
            try:
                found.append(layout.parse_world_name(path))
            except ArtifactError:  # A file of another kind stops no stage.
                continue
    return found


def current(
    data_folder: Path, folders: Sequence[Path], video: str, method: str = ""
) -> WorldName | None:
    """The reconstruction of a video to go on with; None if there is none.

    Args:
        folders: where reconstructions may lie; the first that has one of the video counts.
        method: the world method; empty for the preferred one of those that there are.

    Raises:
        VideoError: there are several, and nothing says which one it is.
    """
    for folder in folders:
        names = [
            name for name in names_in(folder) if name.video == video and method in ("", name.method)
        ]
        finished = [name for name in names if not _is_unfinished(data_folder, name)]
        if of_first := _of_preferred_method(finished or names):
            return _newest(data_folder, of_first, folder)
    return None


def world_folders(data_folder: Path) -> list[Path]:
    """Where the world methods put their reconstructions, the preferred method first."""
    return [data_folder / layout.world_folder(method) for method in catalogue.WORLD_METHODS]


def _of_preferred_method(names: list[WorldName]) -> list[WorldName]:
    methods = [*catalogue.WORLD_METHODS, *sorted({name.method for name in names})]
    preferred = next((m for m in methods if any(name.method == m for name in names)), "")
    return [name for name in names if name.method == preferred]


def _newest(data_folder: Path, names: list[WorldName], folder: Path) -> WorldName:
    """The one of the frames that there are now."""
    frames = layout.DataFolder(data_folder).images(names[0].video)
    try:
        count = len(images.list_images(frames))
    except ArtifactError:
        count = 0
    if len(names) > 1 and count:
        names = [name for name in names if name.end <= count] or names
    for name in names if len(names) > 1 else ():
        stamp = read_stamp(stamp_path(data_folder, f"stage1-{name.method}", name.video))
        made = {Path(place).stem for place in stamp.outputs} if stamp else set()
        read = [key for key in stamp.inputs if key.startswith("frames/")] if stamp else []
        if name.stem in made and len(read) == count:
            return name
    whole = [name for name in names if (name.start, name.end, name.stride) == (0, count, 1)]
    if len(whole) == 1:
        return whole[0]
    if len(names) > 1:
        raise VideoError(
            f"{folder} has {len(names)} reconstructions of {names[0].video}: "
            f"{', '.join(name.stem for name in names)}; keep the one that you want there"
        )
    return names[0]


def _is_unfinished(data_folder: Path, name: WorldName) -> bool:
    stamp = read_stamp(stamp_path(data_folder, f"stage1-{name.method}", name.video))
    return stamp is not None and not stamp.finished
