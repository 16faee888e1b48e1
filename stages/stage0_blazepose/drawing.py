"""Pictures for `--vis`: masks and ids, limbs, the body over them, and what touches."""

import cv2
import numpy as np
from jaxtyping import Float, UInt8, UInt16

from stages.artifacts.bodies import PersonBody
from stages.artifacts.contacts import PersonContact
from stages.artifacts.keypoints import PersonKeypoints
from stages.artifacts.masks import box_of
from stages.body.joint_names import COCO_WHOLEBODY_NAMES, SMPL_PARENTS
from stages.body.model import BodyModel
from stages.body.skeleton import posed_points, skeleton_of
from stages.geometry.placement import place_before_camera
from stages.stage0_blazepose.correspondence import smpl_points_on
from stages.stage0_blazepose.keypoint_offsets import FITTED
from stages.stage0_blazepose.observations import pixels_of, viewing_rays

COLOURS = ((255, 127, 14), (31, 119, 180), (44, 160, 44), (214, 39, 40), (148, 103, 189))
WHITE, BODY_COLOUR, STANDS, MOVES = (255, 255, 255), (0, 220, 255), (80, 255, 80), (255, 80, 80)
MIN_SCORE = 0.3
BODY_AND_FEET = 23
BONES = (
    *((5, 6), (5, 11), (6, 12), (11, 12), (5, 7), (7, 9), (6, 8), (8, 10)),
    *((11, 13), (13, 15), (15, 17), (15, 19), (12, 14), (14, 16), (16, 20), (16, 22)),
)
"""Limbs, by the numbers of their ends in COCO-WholeBody."""
Picture = UInt8[np.ndarray, "H W 3"]


def with_masks(image: Picture, ids: UInt16[np.ndarray, "H W"]) -> Picture:
    """The image with everybody tinted, and their ids."""
    picture, thick = image.copy(), _thickness(image)
    for person in np.unique(ids[ids > 0]).tolist():
        colour = COLOURS[(person - 1) % len(COLOURS)]
        of_person = ids == person
        picture[of_person] = (0.5 * picture[of_person] + 0.5 * np.array(colour)).astype(np.uint8)
        x1, y1, *_ = box_of(of_person)
        at = (x1, max(y1, 14 * thick))
        cv2.putText(picture, str(person), at, cv2.FONT_HERSHEY_SIMPLEX, 0.5 * thick, colour, thick)
    return picture


def draw_body(
    picture: Picture, body: PersonBody, keypoints: PersonKeypoints, model: BodyModel
) -> None:
    """Draws SMPL's bones where the keypoints say that the body is."""
    joints = joints_px(body, keypoints, model, picture.shape[:2]).round().astype(int)
    for joint, parent in enumerate(SMPL_PARENTS):
        if parent >= 0:
            ends = joints[parent].tolist(), joints[joint].tolist()
            cv2.line(picture, *ends, BODY_COLOUR, 2 * _thickness(picture))


def joints_px(
    body: PersonBody, keypoints: PersonKeypoints, model: BodyModel, size: tuple[int, int]
) -> Float[np.ndarray, "24 2"]:
    """SMPL's joints in the picture, by a camera of the focal length that the fit assumed."""
    rotmats = np.concatenate([body.R_camera_root, body.body_pose])[None]
    points = [*range(len(SMPL_PARENTS)), *smpl_points_on(model)]
    offsets = posed_points(rotmats, np.zeros((1, 3)), skeleton_of(model, body.betas, points))
    joints, fitted = np.split(offsets, [len(SMPL_PARENTS)], axis=1)
    seen = keypoints.keypoints[list(FITTED)][None]
    rays = np.dstack([viewing_rays(seen[..., :2], size), np.ones(seen.shape[:2])])
    root_m = place_before_camera(fitted[:, list(FITTED.values())], rays, seen[..., 2])
    in_camera = (joints + root_m)[0]
    return pixels_of(in_camera[:, :2] / in_camera[:, 2:], size)


def draw_keypoints(
    picture: Picture, keypoints: PersonKeypoints, contact: PersonContact | None
) -> None:
    """Draws limbs and keypoints; rings around the ankles are green where that foot stands."""
    thick = _thickness(picture)
    seen = keypoints.keypoints[:BODY_AND_FEET, 2] > MIN_SCORE
    places = keypoints.keypoints[:BODY_AND_FEET, :2].round().astype(int).tolist()
    for a, b in BONES:
        if seen[a] and seen[b]:
            cv2.line(picture, places[a], places[b], WHITE, thick)
    for index in np.flatnonzero(seen):
        cv2.circle(picture, places[index], 2 * thick, STANDS, -1)
    stands_on = (contact.left_foot, contact.right_foot) if contact else (False, False)
    for side, stands in zip(("left", "right"), stands_on, strict=True):
        at = places[COCO_WHOLEBODY_NAMES.index(f"{side}_ankle")]
        cv2.circle(picture, at, 8 * thick, STANDS if stands else MOVES, 2 * thick)


def _thickness(picture: Picture) -> int:
    return max(1, round(max(picture.shape) / 500))
