"""What the stages that look at each person alone share: boxes and frames in, a folder out."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from stages.artifacts import layout
from stages.artifacts.images import ImageFile
from stages.artifacts.masks import Box, read_labels, read_summary
from stages.running.flags import flag, folder
from stages.running.inputs import frames, labels, track_summary
from stages.running.people_flags import ChosenPeople
from stages.running.selection import folders_with_frames
from stages.running.stage import Input, InputPaths, VideoError
from stages.weights.locate import is_demo

Frame = tuple[ImageFile, dict[int, Box]]
"""A picture and the boxes, by person, of the followed people in it."""


@dataclass(kw_only=True)
class PeopleStage(ChosenPeople):
    """A network over the people that stage 0 found.

    A subclass declares the folder of results, and the checkpoint as `model_checkpoint`.
    """

    video_base_dir: Path = folder(layout.IMAGES, "Folder of frames.")
    bbox_base_dir: Path = folder(layout.MASKS, "Folder of people's masks and boxes.")
    batch_size: int = flag(16, "People at once.", changes_results=False)

    model_checkpoint: ClassVar[Path]
    network: ClassVar[str]
    """The network's name, for the notice."""

    @property
    def source_folder(self) -> Path:
        return self.video_base_dir

    def videos_with_input(self) -> list[str]:
        return folders_with_frames(self.video_base_dir)

    def inputs(self, video: str) -> list[Input]:
        return [
            frames(self.video_base_dir, video),
            track_summary(self.bbox_base_dir, video),
            labels(self.bbox_base_dir, video),
        ]

    def result_folder(self, video: str) -> Path:
        return self.output_base_dir / video / layout.CAMERA

    def outputs(self, video: str) -> list[Path]:
        return [self.result_folder(video)]

    def notice(self) -> str:
        known = "; these demo weights know only the demo's rendered people"
        start = f"{self.network}, weights {self.model_checkpoint}"
        return start + (known if is_demo(self.model_checkpoint) else "")

    def people(self, video: str, inputs: InputPaths) -> list[int]:
        """Ids of the people to follow. Raises VideoError when there are none."""
        people = self.followed(video, read_summary(inputs["people"].parent))
        if not people:
            raise VideoError(
                f"{video} has no people; if some are to be seen, run stage0-sam2 with another "
                "--text or other weights"
            )
        return people


def frames_with_boxes(
    labels_dir: Path, images: list[ImageFile], people: list[int]
) -> Iterator[Frame]:
    """Every picture with the boxes of these people in it, perhaps of none."""
    for image in images:
        seen = read_labels(labels_dir.parent, image.name)
        yield image, {person: seen[person].box for person in people if person in seen}


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
