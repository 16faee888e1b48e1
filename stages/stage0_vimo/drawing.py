"""Pictures of bodies for `--vis`: the skeleton, as large as the person's box and in its place.

Bodies have no place in the camera before stage 2, so this shows poses and no more.
"""

from pathlib import Path

import cv2
import numpy as np
from jaxtyping import Float, UInt8

from stages.artifacts.bodies import PersonBody
from stages.artifacts.images import write_image
from stages.artifacts.masks import Box
from stages.body.model import BodyModel
from stages.body.skin import forward_kinematics

_COLOURS = ((255, 160, 0), (0, 200, 255), (120, 255, 80), (255, 80, 180))
_MARGIN = 0.06
"""Of a box's height: skin above the head joint and below the feet's."""


def skeleton_in_box(body: BodyModel, person: PersonBody, box: Box) -> Float[np.ndarray, "24 2"]:
    """Pixels of the 24 joints, seen straight from the camera, filling the height of a box."""
    rotmats = np.concatenate([person.R_camera_root, person.body_pose])
    rest = body.rest_joints(person.betas)
    joints = forward_kinematics(rotmats, rest, rest[0])[1][:, :2]
    low, high = joints.min(axis=0), joints.max(axis=0)
    x1, y1, x2, y2 = box
    scale = (1 - 2 * _MARGIN) * (y2 - y1) / max(high[1] - low[1], 1e-6)
    return (joints - (low + high) / 2) * scale + [(x1 + x2) / 2, (y1 + y2) / 2]


def draw(
    path: Path,
    image: UInt8[np.ndarray, "H W 3"],
    body: BodyModel,
    people: dict[int, PersonBody],
    boxes: dict[int, Box],
) -> None:
    """Writes the image with the bones of every person."""
    picture = image.copy()
    for person in people.keys() & boxes.keys():
        colour = _COLOURS[person % len(_COLOURS)]
        points = skeleton_in_box(body, people[person], boxes[person]).round().astype(int)
        for joint, parent in enumerate(body.parents):
            if parent >= 0:
                cv2.line(picture, tuple(points[parent]), tuple(points[joint]), colour, 2)
    write_image(path, picture)
