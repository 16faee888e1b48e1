"""The frames that are reconstructed, with their people's masks, read when asked for."""

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from jaxtyping import Bool, UInt8, UInt16

from stages.artifacts.errors import ArtifactError
from stages.artifacts.images import ImageFile, list_images, read_image
from stages.artifacts.masks import read_mask
from stages.running import VideoError

PEOPLE_MARGIN_SHARE = 0.015
"""By how much people's masks grow, as a share of the long side: soft borders, cast shadows."""


@dataclass(frozen=True)
class Frames:
    """A video's frames; all have one size."""

    images: list[ImageFile]
    masks: Path | None
    """Folder of people's masks; None where nobody is masked."""
    height: int
    width: int

    def __len__(self) -> int:
        return len(self.images)

    @property
    def folder(self) -> Path:
        return self.images[0].path.parent

    @property
    def file_names(self) -> list[str]:
        return [image.path.name for image in self.images]

    def rgb(self, frame: int) -> UInt8[np.ndarray, "H W 3"]:
        """One frame.

        Raises:
            VideoError: it has another size than the first.
        """
        image = read_image(self.images[frame].path)
        if image.shape[:2] != (self.height, self.width):
            raise VideoError(
                f"{self.images[frame].path} is {image.shape[1]}x{image.shape[0]} but the first "
                f"frame is {self.width}x{self.height}; extract the frames again by stage0-frames"
            )
        return image

    def grey(self, frame: int) -> UInt8[np.ndarray, "H W"]:
        """One frame without colour."""
        return cv2.cvtColor(self.rgb(frame), cv2.COLOR_RGB2GRAY)

    def people(self, frame: int) -> Bool[np.ndarray, "H W"]:
        """Where people are in one frame."""
        return self.ids(frame) > 0

    def ids(self, frame: int) -> UInt16[np.ndarray, "H W"]:
        """Who is where in one frame, 0 for nobody."""
        if self.masks is None:
            return np.zeros((self.height, self.width), np.uint16)
        return read_mask(self.masks, self.images[frame].name, (self.height, self.width))

    def outside(self, frame: int) -> Bool[np.ndarray, "H W"]:
        """Where one frame shows nothing that was taken."""
        return np.zeros((self.height, self.width), bool)


def frame_range(folder: Path, start: int, end: int) -> tuple[int, int]:
    """Places of the frames of a folder from `start` to before `end`; -1: to the last, if any."""
    if end == -1:
        try:
            end = len(list_images(folder))
        except ArtifactError:  # Whoever reads them says so.
            pass
    return start, end


def choose_frames(folder: Path, masks: Path | None, start: int, end: int, stride: int) -> Frames:
    """Every stride-th frame of a folder from place `start` to before place `end` (-1: all).

    Raises:
        VideoError: no frame is left.
    """
    found = list_images(folder)
    images = found[start : None if end == -1 else end : stride]
    if not images:
        raise VideoError(
            f"{folder} has {len(found)} frames, none of them from {start} to before {end}; "
            "change --start-frame or --end-frame"
        )
    height, width = read_image(images[0].path).shape[:2]
    return Frames(images, masks, height, width)


def grown(mask: Bool[np.ndarray, "H W"], margin_px: int) -> Bool[np.ndarray, "H W"]:
    """A mask and everything within `margin_px` of it."""
    if margin_px <= 0 or not mask.any():
        return mask
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * margin_px + 1,) * 2)
    return cv2.dilate(mask.astype(np.uint8), kernel) > 0
