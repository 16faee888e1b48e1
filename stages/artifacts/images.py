"""`input_images/<video>/cam01/*.jpg` and the true times of the frames beside them."""

import json
import re
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from jaxtyping import Float, UInt8
from PIL import Image, ImageOps, UnidentifiedImageError

from stages.artifacts.atomic import replacing, write_text
from stages.artifacts.errors import ArtifactError
from stages.artifacts.video_files import PICTURE_SUFFIXES as SUFFIXES

JPEG_QUALITY = 95
JPEG_START, JPEG_END = b"\xff\xd8", b"\xff\xd9"
TIMES_FILE = "frames.json"
_STEM = re.compile(r"^(?:.*_)?(\d+)$")


@dataclass(frozen=True)
class ImageFile:
    """One frame on disk: `00001.jpg` or `frame_00001.jpg`."""

    name: str
    """The file's stem, which names the frame in every later file."""
    number: int
    """The integer at the end of the stem; numbering starts at 1."""
    path: Path


def list_images(folder: Path) -> list[ImageFile]:
    """The frames of one camera folder, by number; endings in any case.

    Of files that differ in the ending alone, the one whose ending is first in `SUFFIXES`.

    Raises:
        ArtifactError: no frame is there, or a name does not end in a number.
    """
    found: dict[str, Path] = {}
    paths = [path for path in sorted(folder.glob("*")) if not path.name.startswith(".")]
    for suffix in SUFFIXES:
        for path in paths:
            if path.suffix.lower() == suffix:
                found.setdefault(path.stem, path)
    if not found:
        raise ArtifactError(folder, "holds no frames", "run stage0-frames on its video")
    frames = []
    for path in found.values():
        match = _STEM.match(path.stem)
        if match is None:
            raise ArtifactError(path, "frame name does not end in a number", "name it 00001.jpg")
        frames.append(ImageFile(path.stem, int(match.group(1)), path))
    return sorted(frames, key=lambda frame: (frame.number, frame.name))


def read_image(path: Path) -> UInt8[np.ndarray, "H W 3"]:
    """An RGB image as viewers show it: turned as its EXIF says, 16 bits scaled to 8.

    Raises:
        ArtifactError: the file is not a readable picture.
    """
    try:
        picture = _decoded(path.read_bytes())
        if picture is not None:
            return picture
        with Image.open(path) as image:
            upright = ImageOps.exif_transpose(image)
            if upright.mode.startswith("I"):  # Pillow would cut off what is over 255.
                grey = (np.asarray(upright) >> 8).clip(0, 255).astype(np.uint8)
                return np.repeat(grey[..., None], 3, axis=2)
            return np.array(upright.convert("RGB"))
    except FileNotFoundError:
        raise ArtifactError(path, "missing", "run stage0-frames on its video") from None
    except (UnidentifiedImageError, OSError) as error:
        raise ArtifactError(path, f"not a readable picture ({error})", "extract it again") from None


def _decoded(content: bytes) -> UInt8[np.ndarray, "H W 3"] | None:
    """A whole JPEG's pixels; None for anything else.

    OpenCV decodes without Python's lock, so that threads can; but it fills up a broken file in
    silence.
    """
    if not (content.startswith(JPEG_START) and content.endswith(JPEG_END)):
        return None
    return cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR_RGB)


def write_image(path: Path, rgb: UInt8[np.ndarray, "H W 3"]) -> None:
    """Writes an RGB image, as JPEG of quality 95 where the name says so."""
    with replacing(path) as temporary:
        # Pillow ignores the quality of formats without loss.
        Image.fromarray(rgb).save(temporary, quality=JPEG_QUALITY)


@dataclass(frozen=True)
class FrameTimes:
    """When the extracted frames were taken."""

    fps: float
    """Rate of the extracted frames: true frames a second, not an assumption."""
    times_s: Float[np.ndarray, " T"]
    """Presentation time of each extracted frame since the first."""
    source: str
    """File name of the video."""
    note: str = ""
    """What was left out, repeated or assumed, in words."""


def write_times(folder: Path, times: FrameTimes) -> None:
    """Writes `frames.json` beside the frames."""
    record = {
        "fps": times.fps,
        "times_s": [round(float(time), 6) for time in times.times_s],
        "source": times.source,
        "note": times.note,
    }
    write_text(folder / TIMES_FILE, json.dumps(record))


def read_times(folder: Path) -> FrameTimes | None:
    """The frames' times, or None for folders made by other tools, where nothing is known."""
    path = folder / TIMES_FILE
    if not path.exists():
        return None
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        return FrameTimes(
            float(record["fps"]),
            np.asarray(record["times_s"], np.float64),
            record["source"],
            record.get("note", ""),
        )
    except (ValueError, KeyError, TypeError) as error:
        raise ArtifactError(
            path, f"not a record of frame times ({error})", "delete it and run stage0-frames again"
        ) from None
