"""BlazePose's points among the 133 of COCO-WholeBody."""

import numpy as np
from jaxtyping import Float, Float32

from stages.artifacts.keypoints import KEYPOINT_COUNT
from stages.body.joint_names import COCO_WHOLEBODY_NAMES
from stages.body.model import BodyModel
from stages.body.skeleton import Point, posed_points, skeleton_of
from stages.stage0_blazepose.body_fit import FittedBody
from stages.stage0_blazepose.correspondence import NAMES, points_on, smpl_points_on
from stages.stage0_blazepose.observations import pixels_of
from stages.stage0_blazepose.sightings import Sighting

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


FITTED = {
    COCO_WHOLEBODY_NAMES.index(name): row
    for row, name in enumerate(NAMES)
    if name in COCO_WHOLEBODY_NAMES
}
"""Keypoints that are points of the fitted body, and which."""


def from_blazepose_px(
    body: FittedBody, model: BodyModel, size: tuple[int, int]
) -> Float[np.ndarray, "T 133 2"]:
    """From where BlazePose sees the keypoints of a body to where COCO-WholeBody has them."""

    def places(points: list[Point]) -> Float[np.ndarray, "T P 2"]:
        in_camera = posed_points(body.rotmats, body.root_m, skeleton_of(model, body.betas, points))
        return pixels_of(in_camera[..., :2] / in_camera[..., 2:], size)

    moved = np.zeros((len(body.root_m), KEYPOINT_COUNT, 2))
    by_point = places(smpl_points_on(model)) - places(points_on(model))
    moved[:, list(FITTED)] = by_point[:, list(FITTED.values())]
    return moved


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
