"""The cost: what ties people, cameras and place together, term by term.

Variables of a frame are all local rotations (the first is root to world), the pelvis position and
its velocity; the shared variable is the logarithm of the world's scale. Weights multiply
residuals, so costs go with their squares. Residuals are in metres, radians and shares of the
person's size in the image, whatever the resolution.

What ties neighbouring frames is an integral over time of a squared rate, so that its pull does not
depend on the frame rate: a rate is a difference over the time dt between the frames, and its square
counts dt times. Time is counted in TIME_UNIT_S, with which dt is 1 at 30 frames a second.
"""

from dataclasses import asdict, dataclass
from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from stages.body.joint_names import coco18_row
from stages.body.skeleton import Skeleton, skeleton_points, skeleton_points_jacobian
from stages.people.skeleton import KEYPOINTS, SOLES
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

FRAME_SIZE = 78
TIME_UNIT_S = 1.0 / 30.0
_LEFT_HIP, _RIGHT_HIP = coco18_row("left_hip"), coco18_row("right_hip")
_NEAREST_M = 0.1
_SUNK_M = 0.01
"""Shoes bend: a sole that is not in contact may seem so deep under the ground."""
LogScale = Float[Array, " 1"]
Constants = dict[str, Array]


@dataclass(frozen=True)
class Weights:
    """Weights and tolerances.

    The original's, where it has the term; its root_smoothness and pose_smoothness of 1 are not in
    effect. `contact`, `hold`, `ground`, `step`, `acceleration` and `scale` are terms that it lacks.
    Rates are per TIME_UNIT_S.

    Attributes:
        points: 3-D alignment of keypoints with the point map, per metre.
        pixels: 2-D projection; multiplies (distance / sqrt(box area)) / 100, which for a box of
            100 x 100 px is the original's distance / area and for others does not change with the
            resolution.
        translation: speed of the pelvis, metres.
        rotation: distance of each rotation from its first estimate, |R - R0|.
        root_smoothness, pose_smoothness: angular speed, radians.
        pose_points: pose against the point map, both relative to the hips, per metre.
        contact: speed of a sole in contact, metres.
        hold: speed of a hand, a knee or the seat in contact, metres. The middle of such a part
            stays closer to its place than one end of a sole that rolls.
        step, acceleration: how exactly the pelvis' velocity is that of its steps between frames,
            and how steady that velocity is, metres.
        ground: distance of a sole in contact from the ground around it, per metre, and depth of
            any other sole under it.
        scale: distance of the scale's logarithm from what people's sizes speak for, in standard
            errors of that (`scale_by_size`). The rest of the cost is near enough to a likelihood:
            left alone it holds the scale as if sure within 1.4 %, and is 1.2 % off on rendered
            people.
        pixel_tolerance: beyond this share of sqrt(box area) a keypoint counts as an outlier.
        point_tolerance, ground_tolerance: the same for points and ground, metres.
        contact_tolerance: the same for speeds of soles in contact, metres.
        hold_tolerance: the same for the other parts, metres.
    """

    points: float = 1.0
    pixels: float = 500.0
    translation: float = 0.5
    rotation: float = 1.5
    root_smoothness: float = 2.0
    pose_smoothness: float = 2.0
    pose_points: float = 0.05
    contact: float = 20.0
    hold: float = 200.0
    ground: float = 10.0
    step: float = 30.0
    acceleration: float = 15.0
    scale: float = 1.0
    pixel_tolerance: float = 0.15
    point_tolerance: float = 0.25
    ground_tolerance: float = 0.04
    contact_tolerance: float = 0.03
    hold_tolerance: float = 0.01

    def as_constants(self) -> dict[str, np.ndarray]:
        """As arrays, so that changing a weight does not compile again."""
        return {name: np.float32(value) for name, value in asdict(self).items()}


DEFAULT_WEIGHTS = Weights()


class Pose(NamedTuple):
    """Variables of a frame."""

    R: Float[Array, "24 3 3"]  # local rotations; the first is R_world_root
    p: Float[Array, "3"]  # pelvis joint in the world, metres
    v: Float[Array, "3"]  # its velocity until the next frame, metres in TIME_UNIT_S


class Observations(NamedTuple):
    """Observations of one person in one frame. SfM units are the world's before scaling.

    Attributes:
        dt: time to the next frame in TIME_UNIT_S, above 0.
        skeleton: of the person.
        R0: first estimate of the local rotations.
        pixels, pixel_weights: keypoints at the reconstruction's resolution and their confidence.
        size_px: square root of the box area.
        K: intrinsics fx, fy, cx, cy.
        R_camera_world: rotation part of world to camera.
        camera: camera centre, SfM units.
        points, point_weights: keypoints on the point map, SfM units, and their confidence.
        rays: viewing directions of the keypoints in the world, unit length.
        contacts: whether the left and right foot touch the ground.
        part_contacts: whether the other parts touch something, in the order of the skeleton's
            points of them; nothing where it has none.
        ground_point: a point of the ground around each foot, SfM units.
        ground_normal: its normal.
        ground_weight: 0 where there is none.
    """

    dt: Float[Array, ""]
    skeleton: Skeleton
    R0: Float[Array, "24 3 3"]
    pixels: Float[Array, "18 2"]
    pixel_weights: Float[Array, " 18"]
    size_px: Float[Array, ""]
    K: Float[Array, " 4"]
    R_camera_world: Float[Array, "3 3"]
    camera: Float[Array, " 3"]
    points: Float[Array, "18 3"]
    point_weights: Float[Array, " 18"]
    rays: Float[Array, "18 3"]
    contacts: Float[Array, " 2"]
    part_contacts: Float[Array, " P"]
    ground_point: Float[Array, "2 3"]
    ground_normal: Float[Array, "2 3"]
    ground_weight: Float[Array, " 2"]


def _retract(x: Pose, delta: Float[Array, " 78"]) -> Pose:
    R = rotate_left(x.R, delta[3:75].reshape(24, 3))
    return Pose(R, x.p + delta[:3], x.v + delta[75:])


def _linear_retract(x: Pose, delta: Float[Array, " 78"]) -> Pose:
    R = rotate_left_linear(x.R, delta[3:75].reshape(24, 3))
    return Pose(R, x.p + delta[:3], x.v + delta[75:])


def _features(
    x: Pose, log_scale: LogScale, seen: Observations, w: Constants
) -> tuple[dict[str, Array], Float[Array, "C 3"]]:
    return _grouped(skeleton_points(x.R, x.p, seen.skeleton))


def _features_jacobian(
    x: Pose, seen: Observations, w: Constants
) -> tuple[dict[str, Array], Float[Array, "C 3 78"]]:
    by_turns = skeleton_points_jacobian(x.R, x.p, seen.skeleton)
    by_p = jnp.broadcast_to(jnp.eye(3, dtype=by_turns.dtype), (len(by_turns), 3, 3))
    every = jnp.concatenate([by_p, by_turns, jnp.zeros_like(by_p)], axis=-1)
    return _grouped(every)


def _grouped(
    points: Float[Array, "K 3 *n"],
) -> tuple[dict[str, Array], Float[Array, "C 3 *n"]]:
    """What frames see of the skeleton's points, and the soles and other parts for pairs."""
    keypoints, touching = points[:KEYPOINTS], points[KEYPOINTS:]
    soles = touching[:SOLES]
    return {"keypoints": keypoints, "from hips": _from_hips(keypoints), "soles": soles}, touching


def _frame(
    view: View, log_scale: LogScale, seen: Observations, w: Constants
) -> dict[str, Array | Robust]:
    points = view.features
    scale = jnp.exp(log_scale[0])
    on_skin = scale * seen.points + seen.skeleton.depths[:KEYPOINTS, None] * seen.rays
    return {
        "3d alignment": _tolerant(
            on_skin - points["keypoints"], w["points"] * seen.point_weights, w["point_tolerance"]
        ),
        "2d projection": _tolerant(
            (project(points["keypoints"], scale, seen) - seen.pixels) / seen.size_px,
            w["pixels"] / 100.0 * seen.pixel_weights,
            w["pixel_tolerance"],
        ),
        "local pose alignment": _tolerant(
            _from_hips(on_skin) - points["from hips"],
            w["pose_points"] * seen.point_weights * _hips_weight(seen.point_weights),
            w["point_tolerance"],
        ),
        "ground contact": _tolerant(
            off_ground(points["soles"], scale, seen),
            w["ground"] * jnp.repeat(seen.ground_weight, 2),
            w["ground_tolerance"],
        ),
    }


def _pair(
    a: View, b: View, log_scale: LogScale, seen: Observations, seen_next: Observations, w: Constants
) -> dict[str, Array | Robust]:
    step, between = b.x.p - a.x.p, 0.5 * (seen.dt + seen_next.dt)
    in_contact = jnp.repeat(seen.contacts * seen_next.contacts, 2)
    soles, parts = (b.features - a.features)[:SOLES], (b.features - a.features)[SOLES:]
    held = {}
    if len(parts):
        held["held parts"] = _tolerant(
            parts / seen.dt,
            w["hold"] * jnp.sqrt(seen.dt) * seen.part_contacts * seen_next.part_contacts,
            w["hold_tolerance"],
        )
    return {
        "translation smoothness": w["translation"] * _rate(step, seen.dt),
        "translation step": w["step"] * _rate(step - seen.dt * a.x.v, seen.dt),
        # Each velocity is that in the middle of its step.
        "translation acceleration": w["acceleration"] * _rate(b.x.v - a.x.v, between),
        "planted feet": _tolerant(
            soles / seen.dt,
            w["contact"] * jnp.sqrt(seen.dt) * in_contact,
            w["contact_tolerance"],
        ),
        **held,
    }


def _rate(difference: Array, dt: Float[Array, ""]) -> Array:
    """Rows whose square is that of the difference's rate, difference / dt, integrated over dt."""
    return difference / jnp.sqrt(dt)


def _rotation_prior(x: Pose, seen: Observations, w: Constants) -> dict[str, Array]:
    return {"rotation prior": w["rotation"] * _chord(x.R, seen.R0)}


def _rotation_smoothness(
    x: Pose, x_next: Pose, seen: Observations, seen_next: Observations, w: Constants
) -> dict[str, Array]:
    turn = rotation_log(matmul_3x3(jnp.swapaxes(x.R, -1, -2), x_next.R))
    speed = _rate(turn, seen.dt)
    first = (jnp.arange(24) == 0)[:, None]
    return {
        "root rotation smoothness": jnp.where(first, w["root_smoothness"] * speed, 0.0),
        "local pose smoothness": jnp.where(first, 0.0, w["pose_smoothness"] * speed),
    }


def _shared(log_scale: LogScale, w: Constants) -> dict[str, Array]:
    return {"scale prior": w["scale"] * (log_scale - w["first_log_scale"])}


PROBLEM = Problem(
    frame_size=FRAME_SIZE,
    retract_frame=_retract,
    frame_residuals=_frame,
    pair_residuals=_pair,
    shared_residuals=_shared,
    shared_size=1,
    retract_shared=lambda log_scale, delta: log_scale + delta,
    pairs_use_shared=False,
    features=_features,
    linear_retract_frame=_linear_retract,
    closure_digest="",
    blocks=Blocks(3, 3, 24, _rotation_prior, _rotation_smoothness),
    point_features=PointFeatures(
        _features_jacobian,
        {
            "3d alignment": "keypoints",
            "2d projection": "keypoints",
            "local pose alignment": "from hips",
            "ground contact": "soles",
        },
    ),
)


def project(
    points: Float[Array, "k 3"], scale: Float[Array, ""], seen: Observations
) -> Float[Array, "k 2"]:
    """Pixels of metric world points, at the reconstruction's resolution."""
    q = (points - scale * seen.camera) @ seen.R_camera_world.T
    z = jnp.maximum(q[:, 2:], _NEAREST_M)
    return q[:, :2] / z * seen.K[:2] + seen.K[2:]


def _tolerant(
    rows: Float[Array, "k g"], weight: Float[Array, " k"], tolerance: Float[Array, ""]
) -> Robust:
    """Least squares within the tolerance; beyond it rows pull ever less."""
    return Robust(rows / tolerance, (weight * tolerance) ** 2, losses.geman_mcclure)


def _chord(R: Float[Array, "k 3 3"], R0: Float[Array, "k 3 3"]) -> Float[Array, "k 3"]:
    """Three numbers with the length of R - R0: 2 sqrt(2) sin(angle / 2) along the axis."""
    turn = matmul_3x3(R, jnp.swapaxes(R0, -1, -2))
    skew = jnp.stack(
        [
            turn[:, 2, 1] - turn[:, 1, 2],
            turn[:, 0, 2] - turn[:, 2, 0],
            turn[:, 1, 0] - turn[:, 0, 1],
        ],
        axis=-1,
    )
    trace = turn[:, 0, 0] + turn[:, 1, 1] + turn[:, 2, 2]
    return skew * jnp.sqrt(2.0 / jnp.maximum(1.0 + trace, 1e-3))[:, None]


def _from_hips(points: Float[Array, "18 3 *n"]) -> Float[Array, "18 3 *n"]:
    return points - 0.5 * (points[_LEFT_HIP] + points[_RIGHT_HIP])


def _hips_weight(weights: Float[Array, " 18"]) -> Float[Array, ""]:
    return jnp.minimum(weights[_LEFT_HIP], weights[_RIGHT_HIP])


def off_ground(
    soles: Float[Array, "4 3"], scale: Float[Array, ""], seen: Observations
) -> Float[Array, "4 1"]:
    """How far soles in contact are from the ground, and others below it by over a centimetre."""
    offset = soles.reshape(2, 2, 3) - scale * seen.ground_point[:, None]
    above = jnp.einsum("fsc,fc->fs", offset, seen.ground_normal)
    rows = jnp.where(seen.contacts[:, None] > 0, above, jnp.minimum(above + _SUNK_M, 0.0))
    return rows.reshape(4, 1)
