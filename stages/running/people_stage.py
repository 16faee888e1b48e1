"""What the stages that look at each person alone share: boxes and frames in, a folder out."""

from abc import abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from stages.artifacts import layout
from stages.artifacts.images import ImageFile
from stages.artifacts.masks import (
    Box,
    TrackSummary,
    choose_people,
    read_labels,
    read_summary,
    summary_path,
)
from stages.running.stage import Input, Stage, VideoError
from stages.weights.demo import is_demo

Frame = tuple[ImageFile, dict[int, Box]]
"""A picture and the boxes, by person, of the followed people in it."""


@dataclass
class PeopleStage(Stage):
    """A network over the people that stage0-sam2 found.

    result_base_dir: the folder of all videos' results. bbox_base_dir: masks and boxes.
    """

    video_base_dir: Path
    result_base_dir: Path
    bbox_base_dir: Path
    checkpoint: Path
    multihuman: bool
    top_k: int
    batch_size: int
    vis: bool

    network: ClassVar[str]
    """The network's name, for the notice."""

    @property
    def output_base_dir(self) -> Path:
        return self.result_base_dir

    def pictures_folder(self, video: str) -> Path:
        return self.video_base_dir / video / layout.CAMERA

    def masks_folder(self, video: str) -> Path:
        return self.bbox_base_dir / video / layout.CAMERA

    def result_folder(self, video: str) -> Path:
        return self.result_base_dir / video / layout.CAMERA

    def inputs(self, video: str) -> list[Input]:
        masks = self.masks_folder(video)
        return [
            Input(self.pictures_folder(video), "stage0-frames"),
            Input(summary_path(masks), "stage0-sam2"),
            Input(masks / "json_data", "stage0-sam2"),
        ]

    def outputs(self, video: str) -> list[Path]:
        return [self.result_folder(video)]

    def parameters(self) -> dict[str, Any]:
        # The size of a batch does not change the result.
        return {"multihuman": self.multihuman, "top_k": self.top_k, "vis": self.vis}

    @abstractmethod
    def weights(self) -> dict[str, Path]: ...

    def notice(self) -> str:
        known = "; these demo weights know only the demo's rendered people"
        start = f"{self.network}, weights {self.checkpoint}"
        return start + (known if is_demo(self.checkpoint) else "")

    def people(self, video: str) -> list[int]:
        """Ids of the people to follow. Raises VideoError when there are none."""
        people = self.choose(read_summary(self.masks_folder(video)))
        if not people:
            raise VideoError(
                f"{video} has no people; if some are to be seen, run stage0-sam2 with another "
                "--text or other weights"
            )
        return people

    def choose(self, summary: TrackSummary) -> list[int]:
        """The person with the largest total box area, or those that the flags ask for."""
        return choose_people(summary, self.multihuman, self.top_k)

    def frames(self, video: str, images: list[ImageFile], people: list[int]) -> Iterator[Frame]:
        """Every picture with the boxes of these people in it, perhaps of none."""
        for image in images:
            labels = read_labels(self.masks_folder(video), image.name)
            yield image, {person: labels[person].box for person in people if person in labels}


def in_batches(frames: Iterator[Frame], size: int) -> Iterator[list[Frame]]:
    """Frames in order, in groups of up to `size` people; a fuller frame is a group of its own."""
    group: list[Frame] = []
    for frame in frames:
        people = sum(len(boxes) for _, boxes in group)
        if group and people + len(frame[1]) > max(size, 1):
            yield group
            group = []
        group.append(frame)
    if group:
        yield group
