"""Pictures of keypoints for `--vis`."""

from pathlib import Path

import numpy as np
from jaxtyping import UInt8

from stages.artifacts.images import write_image
from stages.artifacts.keypoints import PersonKeypoints
from stages.drawing.detections import keypoints_over


def draw(path: Path, image: UInt8[np.ndarray, "H W 3"], people: dict[int, PersonKeypoints]) -> None:
    """Writes the image with boxes and keypoints."""
    write_image(path, keypoints_over(image, people))
