"""Small video files, made as the tests need them."""

import struct
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from click.testing import CliRunner, Result

from stages.artifacts.images import list_images, read_image
from stages.stage0_frames.stage import main

WIDTH, HEIGHT = 64, 48
CLOCK = 90000


def picture(level: int, width: int = WIDTH, height: int = HEIGHT) -> np.ndarray:
    """Grey of one level, with a bright block in the upper left."""
    image = np.full((height, width, 3), level, np.uint8)
    image[: height // 3, : width // 3] = 250
    return image


def write_video(
    path: Path,
    times_s: list[float],
    rotation: int = 0,
    aspect: Fraction | None = None,
    metadata: dict[str, str] | None = None,
    codec: str = "libx264",
    **options: str,
) -> None:
    """A video whose frame i is grey level 4 i and is shown at times_s[i]."""
    given = {"movflags": "use_metadata_tags"} if metadata else {}
    with av.open(str(path), "w", options=given) as container:
        container.metadata.update(metadata or {})
        chosen = {"crf": "0", **options} if codec == "libx264" else options
        stream = container.add_stream(codec, rate=30, options=chosen)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        if aspect:
            stream.codec_context.sample_aspect_ratio = aspect
        if codec == "libx264":
            stream.codec_context.time_base = Fraction(1, CLOCK)
            stream.time_base = Fraction(1, CLOCK)
        if rotation:
            stream.set_display_rotation(rotation)
        container.start_encoding()
        for index, time in enumerate(times_s):
            frame = av.VideoFrame.from_ndarray(picture(min(4 * index, 240)), format="rgb24")
            base = Fraction(1, CLOCK if codec == "libx264" else 30)
            frame.pts, frame.time_base = round(time / base), base
            container.mux(stream.encode(frame))
        container.mux(stream.encode())


def steady(count: int, fps: float = 30) -> list[float]:
    """Times of frames at a rate."""
    return [index / fps for index in range(count)]


def set_display_matrix(path: Path, matrix: tuple[int, int, int, int]) -> None:
    """Writes (a, b, c, d) into the header of the file's first track."""
    content = bytearray(path.read_bytes())
    at = content.find(b"tkhd") + 8 + 20 + 16
    a, b, c, d = (65536 * value for value in matrix)
    content[at : at + 36] = struct.pack(">9i", a, b, 0, c, d, 0, 0, 0, 1 << 30)
    path.write_bytes(content)


def destroy_packet(path: Path, number: int) -> None:
    """Zeros in the place of one packet's content."""
    with av.open(str(path)) as container:
        packet = [packet for packet in container.demux(video=0) if packet.size][number]
        place, size = packet.pos, packet.size
    content = bytearray(path.read_bytes())
    content[place + 4 : place + size] = bytes(size - 4)
    path.write_bytes(content)


def frames_stage(*flags: str) -> Result:
    return CliRunner().invoke(main, list(flags))


def frames_of(data: Path, video: str) -> list[np.ndarray]:
    files = list_images(data / "input_images" / video / "cam01")
    return [read_image(file.path) for file in files]


def levels(data: Path, video: str) -> list[int]:
    """The source frame that each extracted picture shows, by its grey level."""
    return [round(float(np.median(image)) / 4) for image in frames_of(data, video)]
