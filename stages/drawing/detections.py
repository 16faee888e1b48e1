"""Masks and keypoints over the frames that they were found in."""

import cv2
import numpy as np
from jaxtyping import UInt8, UInt16

from stages.artifacts.keypoints import PersonKeypoints
from stages.body.joint_names import BODY_AND_FEET

Picture = UInt8[np.ndarray, "H W 3"]

TINTS = np.array(
    [[255, 127, 14], [31, 119, 180], [44, 160, 44], [214, 39, 40], [148, 103, 189], [23, 190, 207]]
)
BOX, POINT = (255, 160, 0), (0, 255, 80)
MIN_SCORE = 0.3


def masks_over(image: Picture, ids: UInt16[np.ndarray, "H W"]) -> Picture:
    """The image with people tinted by their id."""
    tint = TINTS[(ids.astype(int) - 1) % len(TINTS)]
    mixed = 0.5 * image + 0.5 * tint
    return np.where((ids > 0)[..., None], mixed, image).astype(np.uint8)


def keypoints_over(image: Picture, people: dict[int, PersonKeypoints]) -> Picture:
    """The image with boxes, and keypoints that score over 0.3; body and feet larger."""
    picture = image.copy()
    for number, entry in people.items():
        x1, y1, x2, y2 = (round(float(value)) for value in entry.box[:4])
        cv2.rectangle(picture, (x1, y1), (x2, y2), BOX, 1)
        cv2.putText(picture, str(number), (x1, y1 - 3), cv2.FONT_HERSHEY_SIMPLEX, 0.4, BOX)
        for index, (x, y, score) in enumerate(entry.keypoints):
            if np.isfinite([x, y]).all() and score > MIN_SCORE:
                radius = 2 if index < BODY_AND_FEET else 1
                cv2.circle(picture, (round(float(x)), round(float(y))), radius, POINT, -1)
    return picture
