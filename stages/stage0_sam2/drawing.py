"""Pictures and a video of the masks for `--vis`."""

from collections.abc import Iterable
from pathlib import Path

import av
import numpy as np
from jaxtyping import UInt8, UInt16

from stages.artifacts.atomic import replacing
from stages.artifacts.images import read_image, write_image
from stages.drawing.detections import masks_over


def draw(path: Path, image: UInt8[np.ndarray, "H W 3"], ids: UInt16[np.ndarray, "H W"]) -> None:
    """Writes one tinted picture."""
    write_image(path, masks_over(image, ids))


def write_video(path: Path, pictures: Iterable[Path], fps: float = 30.0) -> None:
    """Joins tinted pictures into an H.264 video."""
    with replacing(path) as temporary, av.open(str(temporary), "w") as container:
        stream = None
        for picture in pictures:
            image = read_image(picture)
            image = image[: image.shape[0] // 2 * 2, : image.shape[1] // 2 * 2]
            if stream is None:
                stream = container.add_stream("libx264", rate=round(fps))
                stream.width, stream.height = image.shape[1], image.shape[0]
                stream.pix_fmt = "yuv420p"
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
        if stream is not None:
            container.mux(stream.encode())
