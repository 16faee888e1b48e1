"""stage0-frames: a video file becomes numbered pictures on a steady clock."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import click
import numpy as np

from stages.artifacts import layout
from stages.artifacts.atomic import clear
from stages.artifacts.images import (
    FrameTimes,
    list_images,
    read_image,
    read_times,
    write_image,
    write_times,
)
from stages.artifacts.soundness import lacking
from stages.artifacts.video_files import VideoFiles, find_videos, pictures_in
from stages.artifacts.video_notes import notes_path, read_notes
from stages.drawing.panels import evenly_spread
from stages.geometry.padding import padded_length
from stages.running import (
    Input,
    InputPaths,
    Processed,
    Stage,
    VideoError,
    flag,
    folder,
    stage_command,
)
from stages.running.stage import BY_HAND
from stages.stage0_frames.drawing import FRAMES, picture
from stages.stage0_frames.steady_clock import nearest_times, ticks
from stages.stage0_frames.video_frames import expected_frames, pick_frames, survey

MAX_FRAMES = 99_999


@dataclass(kw_only=True)
class FramesStage(Stage):
    """Turn video files, and folders of pictures, into numbered pictures.

    Writes <output-base-dir>/<video>/cam01/00001.jpg ... and frames.json with their true times.
    As a player shows them; videos of variable rate keep true time. Damaged frames are left out.
    """

    videos_dir: Path = folder("videos", "Folder of video files.")
    images_base_dir: Path = folder(
        layout.IMAGES, "Folder for the frames.", name="--output-base-dir", is_output=True
    )
    fps: float | None = flag(
        None,
        "Frames a second to extract, by time stamps. Default: the video's own rate.",
        kind=click.FloatRange(min=0, min_open=True),
    )

    name = "stage0-frames"

    @cached_property
    def _found(self) -> VideoFiles:
        return find_videos(self.videos_dir)

    @property
    def source_folder(self) -> Path:
        return self.videos_dir

    @property
    def videos_folder(self) -> Path:
        return self.videos_dir

    def videos(self) -> list[str]:
        return list(self._found.files)

    def videos_with_input(self) -> list[str]:
        return self.videos()

    def refused(self) -> dict[str, str]:
        return self._found.refused

    def passed_over(self) -> dict[str, str]:
        return self._found.passed_over

    def inputs(self, video: str) -> list[Input]:
        return [Input("video", self._found.files[video], BY_HAND)]

    def outputs(self, video: str) -> list[Path]:
        return [self.images_base_dir / video / layout.CAMERA]

    def lacks(self, video: str) -> str:
        (frames_dir,) = self.outputs(video)
        count, record = len(list_images(frames_dir)), read_times(frames_dir)
        if record is not None and len(record.times_s) != count:
            return f"{count} of {len(record.times_s)} frames are there"
        return "" if record is not None else lacking(count, self._expected(video), "frames")

    def _expected(self, video: str) -> int:
        path = self._found.files[video]
        return len(pictures_in(path)) if path.is_dir() else expected_frames(path, self.fps)

    def bucket(self, video: str) -> int:
        return padded_length(self._expected(video))

    def process(self, video: str, inputs: InputPaths) -> Processed:
        path, (frames_dir,) = inputs["video"], self.outputs(video)
        read_notes(notes_path(self.videos_dir, video))  # So that bad ones are known at once.
        if path.is_dir():
            return self._of_pictures(path, frames_dir)
        found = survey(path)
        fps = self.fps or found.fps
        count = ticks(found.times_s[-1], fps)
        if count > MAX_FRAMES:
            raise VideoError(f"{path} gives {count} frames, over {MAX_FRAMES}; cut it")
        chosen = nearest_times(found.times_s, fps)
        remarks, details = list(found.remarks), dict(found.details)
        dropped, repeated = len(found.numbers) - len(set(chosen)), count - len(set(chosen))
        if repeated or (dropped and not self.fps):
            remarks.append(f"by its time stamps {dropped} frames are dropped, {repeated} repeated")
        # Frames of an earlier, longer extraction must not stay among the new ones.
        clear(frames_dir)
        for number, image in enumerate(pick_frames(path, found, chosen), 1):
            write_image(frames_dir / f"{number:05d}.jpg", image)
        note = "; ".join(remarks)
        write_times(frames_dir, FrameTimes(fps, found.times_s[chosen], path.name, note))
        size = f"{found.size[0]}x{found.size[1]}"
        return Processed(
            "; ".join([f"{count} frames of {size} at {fps:g} fps", *remarks]),
            {**details, "dropped": dropped, "repeated": repeated},
        )

    def _of_pictures(self, folder: Path, frames_dir: Path) -> Processed:
        """Numbers the pictures of a folder; of their times nothing is known but `fps`."""
        paths = pictures_in(folder)
        if not 2 <= len(paths) <= MAX_FRAMES:
            raise VideoError(f"{folder} has {len(paths)} pictures, not 2 to {MAX_FRAMES}")
        clear(frames_dir)
        size = read_image(paths[0]).shape
        for number, path in enumerate(paths, 1):
            image = read_image(path)
            if image.shape != size:
                raise VideoError(
                    f"{path} is {image.shape[1]}x{image.shape[0]} but {paths[0].name} is"
                    f" {size[1]}x{size[0]}; leave it out"
                )
            write_image(frames_dir / f"{number:05d}.jpg", image)
        remark = "their rate is not known: --fps says it, else later stages take 30"
        if self.fps:
            remark = f"taken for {self.fps:g} fps"
            times_s = np.arange(len(paths)) / self.fps
            write_times(frames_dir, FrameTimes(self.fps, times_s, folder.name, remark))
        return Processed(f"{len(paths)} pictures of {size[1]}x{size[0]}; {remark}")

    def draw(self, video: str, inputs: InputPaths) -> None:
        (frames_dir,) = self.outputs(video)
        images = list_images(frames_dir)
        shown = evenly_spread(len(images), FRAMES)
        record = read_times(frames_dir)
        sheet = picture(
            [read_image(images[at].path) for at in shown],
            [images[at].name for at in shown],
            None if record is None else record.times_s[shown],
        )
        write_image(frames_dir / "vis" / "frames.jpg", sheet)


main = stage_command(FramesStage)
