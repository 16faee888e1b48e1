"""stage0-frames: a video file becomes numbered pictures on a steady clock."""

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stages.artifacts import layout
from stages.artifacts.images import FrameTimes, write_image, write_times
from stages.running import Input, Stage, VideoError, padded_length
from stages.stage0_frames.video_frames import (
    expected_frames,
    nearest_times,
    nominal_fps,
    pick_frames,
    probe,
)

SUFFIXES = (".mp4", ".mov", ".mkv", ".avi", ".webm", ".m4v")
MAX_FRAMES = 99_999


def video_files(folder: Path) -> dict[str, Path]:
    """Video files of a folder, by the name that the video has in all later stages: the stem.

    Raises:
        VideoError: two files share a stem.
    """
    found: dict[str, Path] = {}
    for path in sorted(folder.iterdir()) if folder.is_dir() else ():
        if path.suffix.lower() in SUFFIXES and not path.name.startswith("."):
            if path.stem in found:
                raise VideoError(f"{found[path.stem]} and {path} share a name; rename one")
            found[path.stem] = path
    return found


@dataclass
class FramesStage(Stage):
    """Extracts frames."""

    videos_dir: Path
    images_base_dir: Path
    fps: float | None
    """Frames a second to extract; None keeps the video's own rate."""

    name = "stage0-frames"

    def __post_init__(self) -> None:
        self.files = video_files(self.videos_dir)

    @property
    def output_base_dir(self) -> Path:
        return self.images_base_dir

    def inputs(self, video: str) -> list[Input]:
        return [Input(self.files[video], "the camera")]

    def outputs(self, video: str) -> list[Path]:
        return [self.images_base_dir / video / layout.CAMERA]

    def parameters(self) -> dict[str, Any]:
        return {"fps": self.fps}

    def bucket(self, video: str) -> int:
        return padded_length(expected_frames(self.files[video], self.fps))

    def process(self, video: str) -> str:
        path, folder = self.files[video], self.images_base_dir / video / layout.CAMERA
        times_s, problem = probe(path)
        fps = self.fps or nominal_fps(times_s)
        chosen = nearest_times(times_s, fps)
        if len(chosen) > MAX_FRAMES:
            raise VideoError(f"{path} gives {len(chosen)} frames, over {MAX_FRAMES}; cut it")
        # Frames of an earlier, longer extraction must not stay among the new ones.
        shutil.rmtree(folder, ignore_errors=True)
        size = (0, 0)
        for number, image in enumerate(pick_frames(path, chosen), 1):
            write_image(folder / f"{number:05d}.jpg", image)
            size = (image.shape[1], image.shape[0])
        write_times(folder, FrameTimes(fps, times_s[chosen], path.name))
        note = f"{len(chosen)} frames of {size[0]}x{size[1]} at {fps:g} fps"
        return f"{note}; the file is {problem}, frames before that are used" if problem else note
