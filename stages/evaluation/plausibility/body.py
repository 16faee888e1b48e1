"""The people's bodies of stages 2 and 3 against their pictures, and against what bodies can be."""

import cv2
import numpy as np
from jaxtyping import Bool, Float
from scipy.ndimage import uniform_filter1d

from stages.artifacts.masks import read_mask
from stages.artifacts.people_and_world import PersonMotion
from stages.artifacts.verdicts import LARGE, SMALL, Measure, Values
from stages.artifacts.video_notes import notes_path, read_notes
from stages.body.joint_names import COCO_WHOLEBODY_NAMES, SMPL24_NAMES, SMPL_PARENTS
from stages.body.shape_fitting import stature_m
from stages.body.skin import posed_vertices
from stages.drawing.panels import evenly_spread
from stages.evaluation.plausibility.clip import Clip
from stages.evaluation.plausibility.limbs import LIMBS
from stages.evaluation.plausibility.measured import worst

REPROJECTION = Measure(
    "body_reprojection", "Body misses keypoints", "heights", SMALL,
    "mean distance of the 12 limb joints from their keypoints, over the box's height",
)  # fmt: skip
WORST_LIMB = Measure(
    "worst_limb_reprojection", "Worst limb", "heights", SMALL,
    "the same of the joint and the third of a second where it is worst",
)  # fmt: skip
MASK_IOU = Measure(
    "body_mask_iou", "Body fills mask", "IoU", LARGE,
    "overlap of the projected body with the person's mask, mean over some frames",
)  # fmt: skip
BONES = Measure(
    "bone_length_drift", "Bone lengths drift", "share", SMALL,
    "largest change of a bone's length over the clip",
)  # fmt: skip
HEIGHT = Measure("height_m", "Height", "m", LARGE, "the person's height, standing upright")
HEIGHT_MISFIT = Measure(
    "height_misfit_m", "Height misfit", "m", SMALL,
    "how far the height is from the noted one, else outside of 1.45 to 2.05 m",
)  # fmt: skip
SPEED = Measure(
    "person_joint_speed_m_s", "Fastest joint of the person", "m/s", SMALL,
    "highest speed of a joint, between frames",
)  # fmt: skip
JERK = Measure(
    "person_jerk_m_s3", "Person's jerk", "m/s3", SMALL,
    "99th percentile of the joints' third derivative by time",
)  # fmt: skip
MEASURES = (REPROJECTION, WORST_LIMB, MASK_IOU, BONES, HEIGHT, HEIGHT_MISFIT, SPEED, JERK)

SMPL_LIMBS = [SMPL24_NAMES.index(COCO_WHOLEBODY_NAMES[row]) for row in LIMBS]
MIN_SCORE = 0.3
WINDOW_S = 1 / 3
MASK_FRAMES = 8
ADULTS_M = (1.45, 2.05)
"""NCD-RisC: from the 2nd percentile of the shortest to the 98th of the tallest populations."""


def compute(clip: Clip) -> Values:
    """Of the worst of the people."""
    people = [person for person in clip.joints if len(clip.joints[person])]
    return worst([_of_person(clip, person) for person in people], MEASURES)


def _of_person(clip: Clip, person: int) -> dict[str, float]:
    motion, joints = clip.motions[person], clip.joints[person]
    times = clip.times_s(motion.frames)
    # A robot follows the joints; how tall they stand is known of the shape's own.
    grown = np.median(_bones(joints).sum(1)) / np.median(_bones(clip.posed_joints(motion)).sum(1))
    height = stature_m(clip.body, motion.betas.mean(0)) * float(grown)
    bones = _bones(joints)
    found = {
        HEIGHT.name: height,
        HEIGHT_MISFIT.name: _misfit(clip, person, height),
        BONES.name: float(((bones.max(0) - bones.min(0)) / bones.mean(0)).max()),
        **motion_peaks(joints[:, :24], times),
        **_reprojection(clip, person, motion, joints, times),
    }
    overlaps = [
        overlap
        for row in evenly_spread(len(motion.frames), MASK_FRAMES)
        if (overlap := _mask_iou(clip, person, motion, row)) is not None
    ]
    if overlaps:
        found[MASK_IOU.name] = float(np.mean(overlaps))
    return found


def _bones(joints: Float[np.ndarray, "T J 3"]) -> Float[np.ndarray, "T 23"]:
    """Lengths of the bones."""
    return np.linalg.norm(joints[:, 1:24] - joints[:, SMPL_PARENTS[1:]], axis=-1)


def _misfit(clip: Clip, person: int, height_m: float) -> float:
    noted = read_notes(notes_path(clip.data.videos, clip.video)).height_of(person)
    if noted is not None:
        return abs(height_m - noted)
    return max(ADULTS_M[0] - height_m, height_m - ADULTS_M[1], 0.0)


def motion_peaks(
    joints: Float[np.ndarray, "T J 3"], times_s: Float[np.ndarray, " T"]
) -> dict[str, float]:
    """Highest speed and high jerk, on true time."""
    if len(times_s) < 4:
        return {}
    speed = np.linalg.norm(np.diff(joints, axis=0), axis=-1) / np.diff(times_s)[:, None]
    value = joints
    for _ in range(3):
        value = np.gradient(value, times_s, axis=0)
    jerk = np.linalg.norm(value, axis=-1)
    return {SPEED.name: float(speed.max()), JERK.name: float(np.percentile(jerk, 99))}


def _reprojection(
    clip: Clip,
    person: int,
    motion: PersonMotion,
    joints: Float[np.ndarray, "T J 3"],
    times_s: Float[np.ndarray, " T"],
) -> dict[str, float]:
    errors = limb_errors(clip, person, motion.frames, joints[:, SMPL_LIMBS])
    if not np.isfinite(errors).any():
        return {}
    step = np.median(np.diff(times_s)) if len(times_s) > 1 else WINDOW_S
    window = max(1, min(len(errors), round(WINDOW_S / step)))
    known = np.isfinite(errors)
    share = uniform_filter1d(known.astype(float), window, axis=0)
    smooth = uniform_filter1d(np.where(known, errors, 0.0), window, axis=0)
    smooth = np.where(share > 0.5, smooth / np.maximum(share, 1e-9), 0.0)
    return {REPROJECTION.name: float(np.nanmean(errors)), WORST_LIMB.name: float(smooth.max())}


def limb_errors(
    clip: Clip, person: int, frames: list[str], points_m: Float[np.ndarray, "T 12 3"]
) -> Float[np.ndarray, "T 12"]:
    """Distances of points from the limbs' keypoints over the box's height; NaN where not seen."""
    errors = np.full(points_m.shape[:2], np.nan)
    for row, name in enumerate(frames):
        entry = clip.keypoints.get(name, {}).get(person)
        if entry is None:
            continue
        seen = entry.keypoints[LIMBS].astype(np.float64)
        pixels = clip.views.project(points_m[row], name)
        height = max(float(entry.box[3] - entry.box[1]), 1.0)
        error = np.linalg.norm(pixels - seen[:, :2], axis=1) / height
        errors[row] = np.where(seen[:, 2] >= MIN_SCORE, error, np.nan)
    return errors


def _mask_iou(clip: Clip, person: int, motion: PersonMotion, row: int) -> float | None:
    mask = read_mask(clip.data.masks(clip.video), motion.frames[row]) == person
    if not mask.any():
        return None
    rotmats = np.concatenate([motion.R_world_root[row, None], motion.body_pose[row]])
    skin = posed_vertices(clip.body, motion.betas[row], rotmats, motion.root_transl[row])
    pixels = clip.views.project(skin.astype(np.float64), motion.frames[row])
    drawn = _silhouette(pixels, clip.body.faces, mask.shape)
    union = np.count_nonzero(drawn | mask)
    return np.count_nonzero(drawn & mask) / union


def _silhouette(
    pixels: Float[np.ndarray, "V 2"], faces: np.ndarray, size: tuple[int, ...]
) -> Bool[np.ndarray, "H W"]:
    drawn = np.zeros(size, np.uint8)
    corners = pixels[faces]
    corners = corners[np.isfinite(corners).all((1, 2))]
    a, b = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    # One of the two sides of a closed skin covers all of its silhouette.
    facing = a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0] > 0
    for triangle in np.rint(corners[facing]).clip(-10_000, 10_000).astype(np.int32):
        cv2.fillConvexPoly(drawn, triangle, 1)
    return drawn > 0
