"""Pictures of keypoints for `--vis`."""

from pathlib import Path

import cv2
import numpy as np
from jaxtyping import UInt8

from stages.artifacts.images import write_image
from stages.artifacts.keypoints import PersonKeypoints

MIN_SCORE = 0.3
BODY_AND_FEET = 23


def draw(path: Path, image: UInt8[np.ndarray, "H W 3"], people: dict[int, PersonKeypoints]) -> None:
    """Writes the image with boxes, and keypoints that score over 0.3; body and feet larger."""
    picture = image.copy()
    for person, entry in people.items():
        x1, y1, x2, y2 = (round(float(value)) for value in entry.box[:4])
        cv2.rectangle(picture, (x1, y1), (x2, y2), (255, 160, 0), 1)
        cv2.putText(
            picture, str(person), (x1, y1 - 3), cv2.FONT_HERSHEY_SIMPLEX, 0.4, (255, 160, 0)
        )
        for index, (x, y, score) in enumerate(entry.keypoints):
            if np.isfinite([x, y]).all() and score > MIN_SCORE:
                radius = 2 if index < BODY_AND_FEET else 1
                cv2.circle(picture, (round(float(x)), round(float(y))), radius, (0, 255, 80), -1)
    write_image(path, picture)
