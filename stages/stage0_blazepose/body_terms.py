"""The cost of a body: what it is seen as, how bodies are, how they move.

Variables of a frame are all local rotations (the first is root to camera) and the pelvis in the
camera. Every residual is divided by how large it usually is, so that weights are standard
deviations, of metres and radians.
"""

from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from stages.body.joint_names import SMPL24_NAMES
from stages.body.skeleton import Skeleton, skeleton_points, skeleton_points_jacobian
from stages.solving import (
    Blocks,
    PointFeatures,
    Problem,
    Robust,
    View,
    losses,
    matmul_3x3,
    rotate_left,
    rotate_left_linear,
    rotation_log,
)
from stages.stage0_blazepose.correspondence import row
from stages.stage0_blazepose.first_pose import HINGES

PIXEL_M, ACROSS_M, DEPTH_M = 0.03, 0.08, 0.2
"""Error of points in the picture at the person's distance, and of BlazePose's own metres across
the line of sight and along it."""
PIXEL_TOLERANCE_M, POINT_TOLERANCE_M = 0.12, 0.25
"""Beyond it a point pulls ever less."""
_NEAREST_M = 0.2
_LIMIT_RAD = 0.03
_STRAIGHT_RAD, _BENT_RAD = -0.05, 2.6
_STEP_M = 0.7
"""Of the pelvis in a second, as of a random walk."""
_HIPS = np.array([row("left_hip"), row("right_hip")])

_HANGING_RAD = 1.1
_SPREAD: dict[str, tuple[float, float, float]] = {
    "pelvis": (1e3, 1e3, 1e3),
    "hip": (1.0, 0.35, 0.5),
    "spine_1": (0.2, 0.15, 0.15),
    "spine_2": (0.2, 0.15, 0.15),
    "spine_3": (0.2, 0.15, 0.15),
    "knee": (1.2, 0.08, 0.06),
    "ankle": (0.35, 0.15, 0.15),
    "foot": (0.05, 0.05, 0.05),
    "neck": (0.25, 0.25, 0.2),
    "head": (0.25, 0.25, 0.2),
    "collar": (0.12, 0.15, 0.15),
    "shoulder": (0.6, 0.9, 0.9),
    "elbow": (0.3, 1.2, 0.06),
    "wrist": (0.3, 0.3, 0.3),
    "hand": (0.03, 0.03, 0.03),
}
"""How far (rad) joints usually turn from rest about SMPL's x, y and z."""
_PACE: dict[str, float] = {
    "pelvis": 2.0,
    "spine_1": 1.0,
    "spine_2": 1.0,
    "spine_3": 1.0,
    "neck": 1.0,
    "head": 1.5,
    "collar": 1.0,
    "foot": 1.0,
    "hand": 1.0,
    "wrist": 2.0,
    "ankle": 2.0,
}
_LIMB_PACE = 3.0
"""How far (rad) joints turn in a second, as of a random walk."""


def _kind(name: str) -> str:
    return name.removeprefix("left_").removeprefix("right_")


_SPREADS = np.array([_SPREAD[_kind(name)] for name in SMPL24_NAMES])
_PACES = np.array([_PACE.get(_kind(name), _LIMB_PACE) for name in SMPL24_NAMES])
_AXES = np.array([HINGES.get(name, (0.0, 0.0, 0.0)) for name in SMPL24_NAMES])
_IS_HINGE = np.abs(_AXES).sum(1)


def _rest() -> np.ndarray:
    """Rotations of a body that lets its arms hang."""
    R = np.tile(np.eye(3), (24, 1, 1))
    c, s = np.cos(_HANGING_RAD), np.sin(_HANGING_RAD)
    for name, sign in (("left_shoulder", -1), ("right_shoulder", 1)):
        R[SMPL24_NAMES.index(name)] = [[c, -sign * s, 0], [sign * s, c, 0], [0, 0, 1]]
    return R


_REST = _rest()


class Pose(NamedTuple):
    """Variables of a frame."""

    R: Float[Array, "24 3 3"]  # local rotations; the first is R_camera_root
    p: Float[Array, "3"]  # pelvis joint in the camera, metres


class Seen(NamedTuple):
    """One person in one frame; P points.

    dt_s: to the next frame. pixels are relative to the principal point, over the focal length.
    R_camera_ray: its third axis is the line of sight through the middle of the crop.
    landmarks_m: BlazePose's own, from the middle of the hips, in those axes.
    distance_m: of the person, to have errors in the picture in metres.
    """

    dt_s: Float[Array, ""]
    skeleton: Skeleton
    rays: Float[Array, "P 2"]
    ray_weights: Float[Array, " P"]
    distance_m: Float[Array, ""]
    R_camera_ray: Float[Array, "3 3"]
    landmarks_m: Float[Array, "P 3"]
    landmark_weights: Float[Array, " P"]


def _retract(x: Pose, delta: Float[Array, " 75"]) -> Pose:
    return Pose(rotate_left(x.R, delta[3:].reshape(24, 3)), x.p + delta[:3])


def _linear_retract(x: Pose, delta: Float[Array, " 75"]) -> Pose:
    return Pose(rotate_left_linear(x.R, delta[3:].reshape(24, 3)), x.p + delta[:3])


def _features(x: Pose, shared, seen: Seen, w) -> tuple[dict[str, Array], Array]:
    points = skeleton_points(x.R, x.p, seen.skeleton)
    return {"points": points, "from hips": points - points[_HIPS].mean(axis=0)}, x.p


def _features_jacobian(x: Pose, seen: Seen, w) -> tuple[dict[str, Array], Array]:
    by_turns = skeleton_points_jacobian(x.R, x.p, seen.skeleton)
    eye = jnp.eye(3, dtype=by_turns.dtype)
    by_p = jnp.broadcast_to(eye, (len(by_turns), 3, 3))
    points = jnp.concatenate([by_p, by_turns], axis=-1)
    p = jnp.concatenate([eye, jnp.zeros_like(by_turns[0])], axis=-1)
    return {"points": points, "from hips": points - points[_HIPS].mean(axis=0)}, p


def _frame(view: View, shared, seen: Seen, w) -> dict[str, Array | Robust]:
    points = view.features["points"]
    rays = points[:, :2] / jnp.maximum(points[:, 2:], _NEAREST_M)
    apart = (view.features["from hips"] @ seen.R_camera_ray) - seen.landmarks_m
    return {
        "picture": _tolerant(
            (rays - seen.rays) * seen.distance_m,
            seen.ray_weights / PIXEL_M,
            PIXEL_TOLERANCE_M * w["forgiving"],
        ),
        "landmarks across": _tolerant(
            apart[:, :2], seen.landmark_weights / ACROSS_M, POINT_TOLERANCE_M * w["forgiving"]
        ),
        "landmarks along": _tolerant(
            apart[:, 2:], seen.landmark_weights / DEPTH_M, POINT_TOLERANCE_M * w["forgiving"]
        ),
    }


def _pair(a: View, b: View, shared, seen: Seen, seen_next: Seen, w) -> dict[str, Array]:
    return {"pelvis step": (b.features - a.features) / (_STEP_M * jnp.sqrt(seen.dt_s))}


def _joint_priors(x: Pose, seen: Seen, w) -> dict[str, Array]:
    turn = rotation_log(matmul_3x3(jnp.swapaxes(jnp.asarray(_REST, x.R.dtype), -1, -2), x.R))
    bend = (turn * _AXES).sum(-1)
    over = jnp.minimum(bend - _STRAIGHT_RAD, 0.0) + jnp.maximum(bend - _BENT_RAD, 0.0)
    return {
        "usual pose": turn / _SPREADS,
        "hinge limits": (_IS_HINGE * over / _LIMIT_RAD)[:, None],
    }


def _joint_steps(x: Pose, x_next: Pose, seen: Seen, seen_next: Seen, w) -> dict[str, Array]:
    turn = rotation_log(matmul_3x3(jnp.swapaxes(x.R, -1, -2), x_next.R))
    return {"joint steps": turn / (_PACES[:, None] * jnp.sqrt(seen.dt_s))}


PROBLEM = Problem(
    frame_size=75,
    retract_frame=_retract,
    frame_residuals=_frame,
    pair_residuals=_pair,
    features=_features,
    linear_retract_frame=_linear_retract,
    pairs_use_shared=False,
    closure_digest="",
    blocks=Blocks(3, 3, 24, _joint_priors, _joint_steps),
    point_features=PointFeatures(
        _features_jacobian,
        {"picture": "points", "landmarks across": "from hips", "landmarks along": "from hips"},
    ),
)


def _tolerant(rows: Float[Array, "k g"], weight: Float[Array, " k"], tolerance: Array) -> Robust:
    """Least squares within the tolerance; beyond it rows pull ever less."""
    return Robust(rows / tolerance, (weight * tolerance) ** 2, losses.geman_mcclure)
