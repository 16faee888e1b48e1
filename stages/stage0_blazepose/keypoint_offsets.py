"""How far COCO-WholeBody's keypoints lie from BlazePose's points of the same name."""

import numpy as np
from jaxtyping import Float

from stages.artifacts.keypoints import KEYPOINT_COUNT
from stages.body.joint_names import COCO_WHOLEBODY_NAMES
from stages.body.model import BodyModel
from stages.body.skeleton import Point, posed_points, skeleton_of
from stages.stage0_blazepose.body_fit import FittedBody
from stages.stage0_blazepose.correspondence import NAMES, points_on, smpl_points_on
from stages.stage0_blazepose.observations import pixels_of

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
