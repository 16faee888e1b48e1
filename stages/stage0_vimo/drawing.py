"""Pictures of bodies for `--vis`: the skeleton as VIMO's own camera sees it."""

from pathlib import Path

import cv2
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float, UInt8

from stages.artifacts.images import write_image
from stages.body.kinematics import forward_kinematics, rest_joints
from stages.body.model import BodyModel
from stages.stage0_vimo.crops import picture_center_px, picture_focal_px

_COLOURS = ((255, 160, 0), (0, 200, 255), (120, 255, 80), (255, 80, 180))


def project_joints(
    body: BodyModel,
    rotmat: Float[np.ndarray, "24 3 3"],
    betas: Float[np.ndarray, "10"],
    translation_m: Float[np.ndarray, "3"],
    picture_size: tuple[int, int],
) -> Float[np.ndarray, "24 2"]:
    """Pixels of the 24 joints in a picture of (height, width)."""
    rest = rest_joints(body, jnp.asarray(betas))
    _, places = forward_kinematics(jnp.asarray(rotmat), rest, body.parents)
    joints = np.asarray(places) + translation_m
    focal = picture_focal_px(*picture_size)
    return joints[:, :2] / joints[:, 2:] * focal + np.array(picture_center_px(*picture_size))


def draw(
    path: Path,
    image: UInt8[np.ndarray, "H W 3"],
    skeletons: dict[int, Float[np.ndarray, "24 2"]],
    body: BodyModel,
) -> None:
    """Writes the image with the bones of every person."""
    picture = image.copy()
    for person, joints in skeletons.items():
        colour = _COLOURS[person % len(_COLOURS)]
        points = np.clip(np.nan_to_num(joints), -10_000, 10_000).round().astype(int)
        for joint, parent in enumerate(body.parents):
            if parent >= 0:
                cv2.line(picture, tuple(points[parent]), tuple(points[joint]), colour, 2)
    write_image(path, picture)
