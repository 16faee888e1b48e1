"""What the stages that look at each person alone share: boxes and frames in, a folder out."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

import numpy as np
from jaxtyping import Float

from stages.artifacts import layout
from stages.artifacts.images import ImageFile, list_images
from stages.artifacts.masks import Box, read_labels, read_summary
from stages.artifacts.soundness import lacking
from stages.running.device import torch_device
from stages.running.fingerprints import files_in
from stages.running.flags import flag, folder
from stages.running.inputs import frames, labels, track_summary
from stages.running.people_flags import ChosenPeople
from stages.running.selection import folders_with_frames
from stages.running.stage import Input, InputPaths, VideoError
from stages.weights.locate import is_demo

if TYPE_CHECKING:
    import torch

F = TypeVar("F", bound=tuple[ImageFile, dict[int, Any]])


AT_ONCE = {"cuda": 64, "cpu": 16}
"""A GPU is busy with so many; a processor is with fewer, and has less memory."""


@dataclass(kw_only=True)
class PeopleStage(ChosenPeople):
    """A network over the people that stage 0 found.

    A subclass declares the folder of results, and the checkpoint as `model_checkpoint`.
    """

    video_base_dir: Path = folder(layout.IMAGES, "Folder of frames.")
    bbox_base_dir: Path = folder(layout.MASKS, "Folder of people's masks and boxes.")
    batch_size: int = flag(
        0,
        f"People at once; 0 for {AT_ONCE['cuda']} on a GPU and {AT_ONCE['cpu']} elsewhere.",
        changes_results=False,
    )

    half: bool = flag(True, "Half precision on GPUs, where the results bear it.")

    model_checkpoint: ClassVar[Path]
    network: ClassVar[str]
    """The network's name, for the notice."""

    @property
    def people_at_once(self) -> int:
        """The size of the network's batches."""
        return self.batch_size if self.batch_size > 0 else AT_ONCE[torch_device()]

    @property
    def half_precision(self) -> "torch.dtype | None":
        """In which the network multiplies; None for float32."""
        from stages.weights.precision import half_of

        return half_of(self.name.removeprefix("stage0-"), torch_device()) if self.half else None

    def checked(self, found: Float[np.ndarray, "..."]) -> Float[np.ndarray, "..."]:
        """What the network found. Raises VideoError if it is not finite."""
        if not np.isfinite(found).all():
            what = (
                "its half precision overflows: --no-half"
                if self.half_precision
                else ("another checkpoint than " + str(self.model_checkpoint))
            )
            raise VideoError(f"{self.network} gives numbers that are not finite; try {what}")
        return found

    @property
    def read_ahead(self) -> int:
        """Pictures of people that may wait for the network."""
        return 2 * self.people_at_once

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

    def lacks(self, video: str) -> str:
        images = list_images(self.video_base_dir / video / layout.CAMERA)
        labels_dir = self.bbox_base_dir / video / layout.CAMERA
        people = set(self.followed(video, read_summary(labels_dir)))
        seen = [image for image in images if people & read_labels(labels_dir, image.name).keys()]
        found = len(files_in(self.result_folder(video)))
        return lacking(found, len(seen), "frames with people")

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


def boxes_in(labels_dir: Path, image: ImageFile, people: list[int]) -> dict[int, Box]:
    """The boxes of these people in a picture, perhaps of none."""
    seen = read_labels(labels_dir.parent, image.name)
    return {person: seen[person].box for person in people if person in seen}


def in_batches(frames: Iterator[F], size: int) -> Iterator[list[F]]:
    """Frames in order, in groups of up to `size` people; a fuller frame is a group of its own."""
    group: list[F] = []
    for frame in frames:
        people = sum(len(boxes) for _, boxes in group)
        if group and people + len(frame[1]) > max(size, 1):
            yield group
            group = []
        group.append(frame)
    if group:
        yield group
