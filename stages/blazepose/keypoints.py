"""BlazePose's points among the 133 of COCO-WholeBody."""

import numpy as np
from jaxtyping import Float, Float32

from stages.artifacts.keypoints import KEYPOINT_COUNT
from stages.blazepose.sightings import Sighting
from stages.body.joint_names import COCO_WHOLEBODY_NAMES

_SIDED = {
    "eye": 2,
    "ear": 7,
    "shoulder": 11,
    "elbow": 13,
    "wrist": 15,
    "hip": 23,
    "knee": 25,
    "ankle": 27,
    "big_toe": 31,
    "heel": 29,
    "hand_root": 15,
    "thumb2": 21,
    "forefinger1": 19,
    "pinky_finger1": 17,
}
"""BlazePose's number on the left; on the right it is one more, or three for the eye."""

POINT_OF = {
    COCO_WHOLEBODY_NAMES.index("nose"): 0,
    **{COCO_WHOLEBODY_NAMES.index(f"left_{name}"): point for name, point in _SIDED.items()},
    **{
        COCO_WHOLEBODY_NAMES.index(f"right_{name}"): point + (3 if name == "eye" else 1)
        for name, point in _SIDED.items()
    },
}
"""BlazePose's point of each keypoint that it has. It has no small toes and next to no fingers."""


def wholebody(
    seen: Sighting, size: tuple[int, int], moved_px: Float[np.ndarray, "133 2"]
) -> Float32[np.ndarray, "133 3"]:
    """x, y and score of the keypoints; the score says whether a point is to be seen.

    Keypoints that BlazePose does not have, or that are outside of the picture, have score 0.

    Args:
        size: height and width of the picture.
        moved_px: from BlazePose's places to those of COCO-WholeBody.
    """
    keypoints = np.zeros((KEYPOINT_COUNT, 3), np.float32)
    rows, points = list(POINT_OF), list(POINT_OF.values())
    places = seen.points_px[points, :2] + moved_px[rows]
    inside = ((places >= -0.5) & (places < np.array(size[::-1]) - 0.5)).all(1)
    keypoints[rows, :2] = places
    keypoints[rows, 2] = seen.visibility[points] * inside
    return keypoints
