"""`input_images/<video>/cam01/*.jpg` and the true times of the frames beside them."""

import io
import json
import re
import struct
import warnings
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from jaxtyping import Float, UInt8
from PIL import Image, ImageOps

from stages.artifacts import checks
from stages.artifacts.atomic import replacing, write_text
from stages.artifacts.errors import ArtifactError
from stages.artifacts.json_files import read_json
from stages.artifacts.opening import read_bytes, reading
from stages.artifacts.video_files import PICTURE_SUFFIXES as SUFFIXES

JPEG_QUALITY = 95
JPEG_START, JPEG_END = b"\xff\xd8", b"\xff\xd9"
TIMES_FILE = "frames.json"
MOST_PIXELS = 100_000_000
"""Three times the largest video's."""
LARGEST_BYTES = 256 * 1024**2
_FORMATS = ("JPEG", "PNG", "MPO")
_FIX = "extract it again"
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
    if not path.exists():
        raise ArtifactError(path, "missing", "run stage0-frames on its video")
    content = read_bytes(path, _FIX, LARGEST_BYTES)
    with reading(path, "a readable picture", _FIX):
        size = jpeg_size(content)
        if size is not None:
            _check_size(*size)
            picture = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR_RGB)
            if picture is not None:
                return picture
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow's own bound is a warning, ours an error.
            image = Image.open(io.BytesIO(content), formats=_FORMATS)
        with image:
            _check_size(*image.size)
            upright = ImageOps.exif_transpose(image)
            if upright.mode.startswith("I"):  # Pillow would cut off what is over 255.
                grey = (np.asarray(upright) >> 8).clip(0, 255).astype(np.uint8)
                return np.repeat(grey[..., None], 3, axis=2)
            return np.array(upright.convert("RGB"))


def _check_size(width: int, height: int) -> None:
    if width * height > MOST_PIXELS:
        raise ValueError(f"{width} x {height} pixels, expected no more than {MOST_PIXELS}")


def jpeg_size(content: bytes) -> tuple[int, int] | None:
    """Width and height of a whole JPEG; None for anything else.

    OpenCV decodes without Python's lock, so that threads can; but it fills up a broken file in
    silence.
    """
    if not (content.startswith(JPEG_START) and content.endswith(JPEG_END)):
        return None
    at = len(JPEG_START)
    while at + 9 <= len(content) and content[at] == 0xFF:
        marker, length = content[at + 1], int.from_bytes(content[at + 2 : at + 4], "big")
        if marker == 0xFF:  # A filling byte.
            at += 1
        elif 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            height, width = struct.unpack(">HH", content[at + 5 : at + 9])
            return width, height
        else:
            at += 2 + length
    return None


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
    fix = "delete it and run stage0-frames again"
    record = read_json(path, fix)
    with reading(path, "a record of frame times", fix):
        times_s = checks.numbers("times_s", record["times_s"], np.float64, None)
        return FrameTimes(
            checks.finite("fps", record["fps"], 0.001, 100_000),
            checks.rising("times_s", times_s, repeats=True),
            str(record["source"]),
            str(record.get("note", "")),
        )
