"""What the stages share that make a world of a video: which frames they take, what they leave."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

import click
import numpy as np
from jaxtyping import UInt8

from stages.artifacts import layout
from stages.artifacts.clock import Clock, frame_number, read_clock
from stages.artifacts.images import write_image
from stages.artifacts.layout import WorldName
from stages.artifacts.soundness import lacking
from stages.artifacts.world import WorldFrame, WorldFrameView, opened_world, write_world
from stages.cameras.frames import Frames, choose_frames, frame_range
from stages.drawing.depth import beside_its_depth
from stages.running import Input, InputPaths, Stage, flag, folder, folders_with_frames
from stages.running.curation import curated_flag, trimmed
from stages.running.fingerprints import PICTURES
from stages.running.inputs import clock, frames, person_masks

_DRAWN = 12


@dataclass(kw_only=True)
class WorldStage(Stage):
    """Frames and people's masks in, cameras and depth of every frame out.

    A subclass declares the folder of masks and that of results.
    """

    video_base_dir: Path = folder(layout.IMAGES, "Folder of frames.")
    gsam2: bool = flag(True, "Take people for what moves, by their masks.")
    start_frame: int = flag(0, "First frame, by place from 0.")
    end_frame: int = flag(-1, "Stop before this place; -1 for all.")
    curated: bool = curated_flag()
    stride: int = flag(1, "Use every n-th frame.", kind=click.IntRange(1))

    method: ClassVar[str]
    """The world method, in names of files and in what is written."""

    @property
    def source_folder(self) -> Path:
        return self.video_base_dir

    def videos_with_input(self) -> list[str]:
        return folders_with_frames(self.video_base_dir)

    def outputs(self, video: str) -> list[Path]:
        return [self.output_base_dir / f"{self.world_name(self.method, video).stem}.h5"]

    def lacks(self, video: str) -> str:
        start, end = self._range(video)
        with opened_world(self.outputs(video)[0]) as (world, _):
            return lacking(len(world), len(range(start, end, self.stride)), "frames")

    def world_name(self, method: str, video: str) -> WorldName:
        """Of a world of the same frames by any method."""
        return WorldName(method, video, *self._range(video), self.stride)

    def _range(self, video: str) -> tuple[int, int]:
        folder = self.video_base_dir / video / layout.CAMERA
        start, end = frame_range(folder, self.start_frame, self.end_frame)
        return trimmed(self.data_folder, video, start, end) if self.curated else (start, end)

    def frames_of(self, video: str, inputs: InputPaths) -> Frames:
        """The frames to reconstruct, with masks if people are known to move.

        Raises:
            VideoError: no frame is left.
        """
        masks = inputs["masks"].parent if self.gsam2 else None
        return choose_frames(inputs["frames"], masks, *self._range(video), self.stride)

    def write(
        self, video: str, inputs: InputPaths, frames: Iterator[WorldFrame], **metadata: Any
    ) -> None:
        """Writes the world; frames get their times, where these are known."""
        timed = _timed(frames, read_clock(inputs.get("clock")))
        write_world(self.outputs(video)[0], timed, method=self.method, **metadata)

    def draw(self, video: str, inputs: InputPaths) -> None:
        (path,) = self.outputs(video)
        with opened_world(path) as (world, about):
            for name in world.names[:: max(1, len(world) // _DRAWN)]:
                picture = path.parent / PICTURES / path.stem / f"{name}.jpg"
                write_image(picture, self.picture(world[name], about))

    def picture(
        self, frame: WorldFrameView, about: Mapping[str, Any]
    ) -> UInt8[np.ndarray, "H W2 3"]:
        """A frame for people to look at; `about`: the world's metadata."""
        return beside_its_depth(frame.rgb, frame.depth)


@dataclass(kw_only=True)
class PicturesStage(WorldStage):
    """A world of pictures and masks alone."""

    mask_base_dir: Path = folder(layout.MASKS, "Folder of people's masks.")

    def inputs(self, video: str) -> list[Input]:
        needed = [frames(self.video_base_dir, video), clock(self.video_base_dir, video)]
        return [*needed, person_masks(self.mask_base_dir, video)] if self.gsam2 else needed


def _timed(frames: Iterator[WorldFrame], clock: Clock) -> Iterator[WorldFrame]:
    for frame in frames:
        time_s = float(clock.times_s(np.array(frame_number(frame.name))))
        yield replace(frame, time_s=None if clock.remark else time_s)
