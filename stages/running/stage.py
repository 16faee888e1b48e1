"""What a stage says of itself, so that one run serves all stages."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

from stages.artifacts.video_files import find_videos
from stages.catalogue import Entry, entry_of
from stages.running.flags import flag, flags_of

BY_HAND: tuple[str, ...] = ()
"""The makers of what no stage makes."""


class VideoError(Exception):
    """A video cannot be processed. The message is one line: what is wrong; what to do."""


class DeclinedError(VideoError):
    """A video is not for this stage but for another one, which is to be asked; no failure."""


@dataclass(frozen=True)
class Input:
    """What a video needs: a file, or files of a folder.

    name: the role it has for the stage; results are known by it, and `process` finds it under it.
    made_by: the stages that make it; of several, any.
    required: False: used when it is there; its coming or going makes an old result stale.
    suffixes: of the files that are read of a folder; empty for all.
    """

    name: str
    path: Path
    made_by: tuple[str, ...]
    required: bool = True
    suffixes: tuple[str, ...] = ()


InputPaths = Mapping[str, Path]
"""Where the inputs of a video lie, by name; without the optional ones that are not there."""


@dataclass(frozen=True)
class Processed:
    """note: a few words on the result, such as `98 frames`. details: numbers for the ledger."""

    note: str
    details: dict[str, Any] = field(default_factory=dict)


@dataclass(kw_only=True)
class Stage(ABC):
    """One stage: a run, or each of its workers, loads models once and takes a video at a time.

    A subclass is a dataclass; its fields that users set are declared by `flags`, and its docstring
    is the help of its command.
    """

    vis: bool = flag(
        False,
        "Also draw pictures of the results; these stay the same.",
        name="--vis",
        changes_results=False,
    )

    name: ClassVar[str]
    """The stage's one name: command, make target, image and service: `stage0-sam2`."""

    chosen: frozenset[str] = field(default=frozenset(), init=False)
    """Fields that the user set, by flag or environment."""

    @property
    def output_base_dir(self) -> Path:
        """The folder that results go to."""
        return next(getattr(self, each.name) for each, about in flags_of(self) if about.is_output)

    @property
    def data_folder(self) -> Path:
        """The folder that the results' folder lies in; records of runs go there."""
        return self.output_base_dir.absolute().parent

    @property
    @abstractmethod
    def source_folder(self) -> Path:
        """The folder of what the stage mainly works on."""

    @abstractmethod
    def videos_with_input(self) -> list[str]:
        """Names of the videos for which there is something in `source_folder`."""

    @property
    def videos_folder(self) -> Path:
        """`videos/` of the data folder; in folders of other tools, that have none, the source."""
        folder = self.data_folder / "videos"
        return folder if find_videos(folder).files else self.source_folder

    @property
    def may_decline(self) -> bool:
        """Whether videos may be left to another stage."""
        return False

    def videos(self) -> list[str]:
        """Names of all videos: the same for every stage where there is a folder of videos."""
        return list(find_videos(self.data_folder / "videos").files) or self.videos_with_input()

    def refused(self) -> dict[str, str]:
        """Videos that cannot be processed at all, and why, by the name of their files."""
        return {}

    def passed_over(self) -> dict[str, str]:
        """What lies beside the videos and is none, and why."""
        return {}

    def entry(self) -> Entry:
        """What the catalogue says of the stage."""
        return entry_of(self.name)

    @abstractmethod
    def inputs(self, video: str) -> list[Input]:
        """Everything of the video that `process` may read."""

    @abstractmethod
    def outputs(self, video: str) -> list[Path]:
        """The files or folders that a finished video has. Pictures in `vis` are none of them."""

    def lacks(self, video: str) -> str:
        """In what the outputs of a video fall short of its frames, in words; empty if in nothing.

        Asked where no record of a run speaks for them.
        """
        return ""

    @abstractmethod
    def process(self, video: str, inputs: InputPaths) -> Processed:
        """Processes one video.

        Raises:
            VideoError: the video cannot be processed.
        """

    def draw(self, video: str, inputs: InputPaths) -> None:
        """Draws pictures of a finished video from its inputs and outputs, for people to judge."""

    def load(self) -> None:
        """Loads models, once, before the first video that needs them."""

    def variant(self, video: str) -> str:
        """What several results of one video differ in, such as the world method."""
        return ""

    def parameters(self) -> dict[str, Any]:
        """Everything that changes numbers, as JSON values, by field."""
        return {
            each.name: getattr(self, each.name)
            for each, about in flags_of(self)
            if about.changes_results
        }

    def decided(self, video: str) -> dict[str, Any]:
        """What people decided of one video that changes its numbers, as JSON values, by name."""
        return {}

    def models(self) -> dict[str, Path]:
        """Files and folders of networks, body and robot in use, by field."""
        declared = [each.name for each, about in flags_of(self) if about.is_model]
        return {name: getattr(self, name) for name in declared if getattr(self, name) is not None}

    def notice(self) -> str:
        """One line on the methods and weights in use, printed at the start of a run."""
        return ""

    def bucket(self, video: str) -> int:
        """Videos of equal buckets run next to each other, so that each length compiles once."""
        return 0


def check_inputs(items: list[Input]) -> InputPaths:
    """Where the inputs lie.

    Raises:
        VideoError: a required one is missing; names the stage that makes it.
    """
    found = {}
    for item in items:
        if item.path.exists():
            found[item.name] = item.path
        elif item.required:
            makers = " or ".join(item.made_by)
            raise VideoError(
                f"{item.path} is missing; " + (f"run {makers} first" if makers else "put it there")
            )
    return found
