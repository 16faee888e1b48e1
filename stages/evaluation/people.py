"""Masks, keypoints, bodies and contacts of the people in the pictures (stage 0)."""

import jax
import jax.numpy as jnp
import numpy as np

from stages import catalogue
from stages.artifacts.bodies import read_bodies
from stages.artifacts.contacts import read_contacts
from stages.artifacts.keypoints import read_keypoints
from stages.body.joint_names import BODY_AND_FEET, COCO_WHOLEBODY_NAMES
from stages.body.kinematics import smpl45
from stages.body.model import BodyModel
from stages.evaluation.clip import EvaluatedClip, iou, median_or_nan
from stages.geometry.alignment import align

LOOK_EVERY = 20
"""The detector looks at every 20th frame."""
FOUND_IOU = 0.5
MIN_PERSON_PX = 100
ALL = list(range(BODY_AND_FEET))
LIMBS_HEELS_TOES = [row for row in ALL[5:] if not COCO_WHOLEBODY_NAMES[row].endswith("small_toe")]


def detection(clip: EvaluatedClip) -> dict[str, float]:
    """Share of the people found where they are looked for, and the number of false ones."""
    present, found, false = 0, 0, 0
    for image in clip.images[::LOOK_EVERY]:
        mask = clip.masks[image.name]
        true = clip.truth.person_ids[clip.truth_frame[image.name]]
        wanted = [true == p + 1 for p in range(len(clip.truth.betas))]
        wanted = [person for person in wanted if person.sum() >= MIN_PERSON_PX]
        given = [mask == i for i in np.unique(mask) if i]
        overlaps = np.array([[iou(g, w) for w in wanted] for g in given]).reshape(len(given), -1)
        present += len(wanted)
        found += int((overlaps.max(0, initial=0) >= FOUND_IOU).sum())
        false += int((overlaps.max(1, initial=0) < 0.1).sum())
    return {"people_found": found / max(present, 1), "false_people": float(false)}


def masks(clip: EvaluatedClip) -> dict[str, float]:
    """Mean intersection over union over all frames where the person is to be seen."""
    scores = []
    for name, mask in clip.masks.items():
        true = clip.truth.person_ids[clip.truth_frame[name]]
        for person in range(len(clip.truth.betas)):
            visible = true == person + 1
            if visible.sum() >= MIN_PERSON_PX:
                person_id = clip.person_of_truth.get(person, -1)
                scores.append(iou(mask == person_id, visible))
    return {"mask_iou": float(np.mean(scores))}


def keypoints(clip: EvaluatedClip) -> dict[str, float]:
    """Error of the keypoints inside the picture, over the true box height.

    17 of the body and 6 of the feet; of BlazePose, whose ears, eyes and small toes are others or
    none, 12 of the limbs, heels and big toes.
    """
    errors = []
    chosen = LIMBS_HEELS_TOES if clip.people_method == catalogue.BLAZEPOSE else ALL
    for image in clip.images:
        frame = clip.truth_frame[image.name]
        given = read_keypoints(clip.data.keypoints(clip.video), image.number)
        for person, person_id in clip.person_of_truth.items():
            rows = np.flatnonzero((clip.truth.person_ids[frame] == person + 1).any(1))
            if person_id not in given or len(rows) < 10:
                continue
            states = clip.truth.keypoint_states[person, frame, chosen]
            true = clip.truth.keypoints_px[person, frame, chosen]
            ours = given[person_id].keypoints[chosen, :2]
            distance = np.linalg.norm(ours - true, axis=1)[states > 0]
            errors.append(distance / (rows[-1] - rows[0] + 1))
    joined = np.concatenate(errors) if errors else np.zeros(0)
    mean = float(joined.mean()) if len(joined) else float("nan")
    return {"keypoint_median": median_or_nan(joined), "keypoint_mean": mean}


def bodies(clip: EvaluatedClip, body: BodyModel) -> dict[str, float]:
    """Mean distance of the 24 joints after a similarity alignment of every frame, in mm."""
    rotmats, betas, truths = [], [], []
    for image in clip.images:
        frame = clip.truth_frame[image.name]
        given = read_bodies(clip.data.bodies(clip.video), image.number)
        for person, person_id in clip.person_of_truth.items():
            if person_id in given:
                entry = given[person_id]
                rotmats.append(np.concatenate([entry.R_camera_root, entry.body_pose]))
                betas.append(entry.betas)
                truths.append(clip.truth.joints_m[person, frame, :24])
    if not rotmats:
        return {"pa_mpjpe_mm": float("nan")}
    joints = jax.vmap(lambda b, r: smpl45(body, b, r))(jnp.array(betas), jnp.array(rotmats))
    errors = []
    for ours, true in zip(np.asarray(joints, np.float64)[:, :24], truths, strict=True):
        scale, R, t = align(ours, true)
        errors.append(np.linalg.norm(scale * ours @ R.T + t - true, axis=1).mean())
    return {"pa_mpjpe_mm": float(np.mean(errors)) * 1000}


def contacts(clip: EvaluatedClip) -> dict[str, float]:
    """F1 score of the feet's contact over all feet and frames."""
    hit, given_count, true_count = 0, 0, 0
    for image in clip.images:
        frame = clip.truth_frame[image.name]
        given = read_contacts(clip.data.contacts(clip.video), image.name) or {}
        for person, person_id in clip.person_of_truth.items():
            true = clip.truth.contacts[person, frame]
            entry = given.get(person_id)
            ours = np.array([entry.left_foot, entry.right_foot] if entry else [False, False])
            hit += int((ours & true).sum())
            given_count += int(ours.sum())
            true_count += int(true.sum())
    return {"contact_f1": 2 * hit / max(given_count + true_count, 1)}
