"""From what BlazePose sees of a person to SMPL's rotations and shape, over the whole track."""

from typing import Any, NamedTuple

import jax
import numpy as np
from jaxtyping import Float

from stages.body.model import BodyModel
from stages.body.skeleton import Skeleton, posed_points, skeleton_of
from stages.geometry.intervals import frames_within
from stages.geometry.placement import place_before_camera
from stages.solving import Limits, pad_frames, pad_mask, padded_length, solve
from stages.stage0_blazepose.body_terms import PROBLEM, Pose, Seen
from stages.stage0_blazepose.correspondence import NAMES, points_on
from stages.stage0_blazepose.first_pose import first_pose
from stages.stage0_blazepose.limb_shape import limb_lengths_m, limb_shape
from stages.stage0_blazepose.observations import Observations

LEAST_WEIGHT = 0.2
"""Of a point that is not to be seen, against one that is: the network's guess is worth that."""
ALONE_S = 1 / 30
ROUGH, FINE = Limits(15, 1e-2, 1e-3, 1e-3), Limits(40, 1e-4, 1e-3, 1e-3)
FLIP_S = 0.25
"""As long as this, before and after, tells whether a limb points to the camera or away from it."""
FORGIVING = 4.0
"""Tolerances of the rough solve over those of the fine one."""


class FittedBody(NamedTuple):
    """One person: local rotations, of which the first is R_camera_root, the pelvis in the camera,
    and the shape."""

    rotmats: Float[np.ndarray, "T 24 3 3"]
    root_m: Float[np.ndarray, "T 3"]
    betas: Float[np.ndarray, " 10"]


def fit_body(seen: Observations, model: BodyModel) -> FittedBody:
    """The body that is seen best as it was, bends as bodies do, and moves steadily."""
    betas = limb_shape(model, seen)
    skeleton = skeleton_of(model, betas, points_on(model))
    landmarks_m = seen.landmarks_m * _size_of_body(skeleton, seen)
    in_camera = np.einsum("tab,tpb->tpa", seen.R_camera_ray, landmarks_m)
    R = first_pose(_without_flips(in_camera, seen.times_s), skeleton)
    offsets = posed_points(R, np.zeros((len(R), 3)), skeleton)
    rays = np.concatenate([seen.rays, np.ones((*seen.rays.shape[:2], 1))], axis=-1)
    root = place_before_camera(offsets, rays, seen.visibility)
    steps_s = np.diff(seen.times_s)
    T = len(R)
    data = Seen(
        dt_s=np.append(steps_s, steps_s[-1:] if T > 1 else ALONE_S),
        skeleton=Skeleton(*(np.broadcast_to(part, (T, *part.shape)) for part in skeleton)),
        rays=seen.rays,
        ray_weights=seen.visibility,
        distance_m=root[:, 2],
        R_camera_ray=seen.R_camera_ray,
        landmarks_m=landmarks_m,
        landmark_weights=LEAST_WEIGHT + (1 - LEAST_WEIGHT) * seen.visibility,
    )
    pose = _solved(Pose(R, root), data)
    return FittedBody(pose.R, pose.p, betas)


def _solved(start: Pose, data: Seen) -> Pose:
    T = len(start.p)
    length = padded_length(T)
    mask = pad_mask(np.ones((1, T), bool), length)

    def padded(tree: Any) -> Any:
        one_person = jax.tree.map(lambda leaf: np.asarray(leaf, np.float32)[None], tree)
        return pad_frames(one_person, length)

    frames, data = padded(start), padded(data)
    for limits, forgiving in ((ROUGH, FORGIVING), (FINE, 1.0)):
        constants = {"forgiving": np.float32(forgiving)}
        frames = solve(
            PROBLEM, frames, np.zeros(0, np.float32), data, constants, mask, None, limits
        ).frames
    return Pose(np.asarray(frames.R[0, :T]), np.asarray(frames.p[0, :T]))


def _without_flips(
    points_m: Float[np.ndarray, "T P 3"], times_s: Float[np.ndarray, " T"]
) -> Float[np.ndarray, "T P 3"]:
    """With the median depth over a while, from which limbs that flip for a moment go on."""
    spans = frames_within(times_s, times_s, FLIP_S)
    depths = [np.median(points_m[start:end, :, 2], axis=0) for start, end in spans]
    return np.concatenate([points_m[..., :2], np.array(depths)[..., None]], axis=-1)


def _size_of_body(skeleton: Skeleton, seen: Observations) -> float:
    """Its limbs over those that the network sees."""
    ratios = [
        np.linalg.norm(np.subtract(*skeleton.points[[NAMES.index(end) for end in limb]])) / length_m
        for limb, length_m in limb_lengths_m(seen).items()
    ]
    return float(np.exp(np.mean(np.log(ratios))))
