"""What a stage says of itself, so that one run serves all stages."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path
from typing import Any


class VideoError(Exception):
    """A video cannot be processed. The message is one line: what is wrong; what to do."""


@dataclass(frozen=True)
class Input:
    """A file or folder that a video needs, and the stage that makes it."""

    path: Path
    made_by: str
    required: bool = True
    """False: used when it is there; its coming or going makes an old result stale."""


class Stage(ABC):
    """One stage: a run, or each of its workers, loads models once and takes a video at a time."""

    name: str
    """The stage's one name: command, make target, image and service: `stage0-sam2`."""

    @property
    @abstractmethod
    def output_base_dir(self) -> Path:
        """The folder that results go to; records of runs lie in its parent, the data folder."""

    @abstractmethod
    def inputs(self, video: str) -> list[Input]:
        """What the video needs."""

    @abstractmethod
    def outputs(self, video: str) -> list[Path]:
        """The files or folders that a finished video has."""

    @abstractmethod
    def process(self, video: str) -> str:
        """Processes one video and returns a short note on the result, such as `98 frames`.

        Raises:
            VideoError: the video cannot be processed.
        """

    def load(self) -> None:
        """Loads models, once, before the first video that needs them."""

    def parameters(self) -> dict[str, Any]:
        """Everything that changes numbers, as JSON values; flag names without dashes."""
        return {}

    def weights(self) -> dict[str, Path]:
        """Files of the weights in use, by name."""
        return {}

    def notice(self) -> str:
        """One line on the methods and weights in use, printed at the start of a run."""
        return ""

    def bucket(self, video: str) -> int:
        """Videos of equal buckets run next to each other, so that each length compiles once."""
        return 0

    def run_details(self) -> dict[str, Any]:
        """Numbers on the video just processed, for the ledger, such as final residuals."""
        return {}
