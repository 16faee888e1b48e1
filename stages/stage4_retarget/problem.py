"""The least-squares problem of retargeting: 29 numbers a frame, a few limb ratios for all."""

import functools
from dataclasses import asdict
from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float

from stages.robot.collision import (
    capsule_ends,
    moved_pair_distances,
    pair_distances,
    self_collision_pairs,
)
from stages.robot.correspondence import g1_correspondence
from stages.robot.kinematics import PointSet, moved_points, points_on_links, world_points
from stages.robot.limbs import sole_points_m
from stages.robot.model import Robot
from stages.robot.terrain import HeightField, ground_at
from stages.solving import Blocks, Marks, Problem, View, digest_of, nudge_left, rotate_left
from stages.solving.problem import Residuals
from stages.stage4_retarget import terms
from stages.stage4_retarget.weights import CostWeights

HIP_AXES = ("yaw", "pitch", "roll")
# The group of marks that each term of a frame looks at.
MARK_OF_TERM = {
    "limb vectors": "limbs",
    "limb directions": "limbs",
    "body layout": "layout",
    "end effector": "toes",
    "ground contact": "soles",
    "self collision": "gaps",
    "sole collision": "soles",
    "body collision": "ends",
}


class Pose(NamedTuple):
    """A frame's variables: root link in the world, joint angles (m, rad)."""

    R: Float[Any, "3 3"]
    p: Float[Any, "3"]
    joints: Float[Any, " J"]


class Target(NamedTuple):
    """What a frame is to look like; see `footing.Footing` for the feet."""

    points: Float[Any, "N 3"]
    R_root: Float[Any, "3 3"]
    pelvis: Float[Any, "3"]
    feet: Float[Any, "2 3"]
    stance: Float[Any, "2"]
    ground_z: Float[Any, "2 2"]
    time_s: Float[Any, ""]


class Constants(NamedTuple):
    """What all frames share and does not move."""

    weights: dict[str, Float[Any, ""]]
    ratios: Float[Any, " K"]
    scale: Float[Any, ""]
    rest: Float[Any, " J"]
    ground: HeightField
    raised_ground: HeightField


def constant_weights(weights: CostWeights) -> dict[str, np.float32]:
    """Weights and gains as arrays, so that changing them does not compile again."""
    both = {**asdict(weights), **terms.GAINS}
    return {name: np.float32(value) for name, value in both.items()}


def loosened(constants: Constants, self_collision: float) -> Constants:
    """The same without surfaces, feet held a tenth as firmly, and that share of self-collision."""
    factors = {
        "self_coll_factor_weight": self_collision,
        "world_coll_factor_weight": 0.0,
        "foot_skating_cost_weight": 0.1,
        "ground_contact_cost_weight": 0.1,
    }
    weights = {name: w * factors.get(name, 1.0) for name, w in constants.weights.items()}
    return constants._replace(weights=weights)


def firmed(constants: Constants) -> Constants:
    """The same with limits that hardly give: for the last steps of a motion that leans on them."""
    factors = {
        "joint limits": 10.0,
        "sole collision": 2.0,
        "self collision": 3.0,
        "body collision": 3.0,
    }
    weights = {name: w * factors.get(name, 1.0) for name, w in constants.weights.items()}
    return constants._replace(weights=weights)


@functools.cache
def retargeting_problem(robot: Robot) -> Problem:
    """The problem of a robot; the same object each time, so that it compiles once."""
    parts = _Parts(robot)
    return Problem(
        frame_size=6 + len(robot.joint_names),
        move_frame=_move,
        frame_residuals=parts.frame,
        pair_residuals=parts.pair,
        shared_residuals=lambda stretch, constants: {"limb ratios": stretch},
        shared_size=int(parts.table.kind.max()) + 1,
        move_shared=lambda stretch, delta: stretch + delta,
        pairs_use_shared=False,
        features=parts.features,
        blocks=Blocks(6, 1, len(robot.joint_names), parts.joints, parts.joint_pairs),
        marks=Marks(parts.marks_jacobian, MARK_OF_TERM),
        nudge_frame=_nudge,
        closure_digest=digest_of(robot),
    )


def _move(x: Pose, delta: Float[Array, "29"]) -> Pose:
    return Pose(rotate_left(x.R, delta[:3]), x.p + delta[3:6], x.joints + delta[6:])


def _nudge(x: Pose, delta: Float[Array, "29"]) -> Pose:
    return Pose(nudge_left(x.R, delta[:3]), x.p + delta[3:6], x.joints + delta[6:])


class _Parts:
    """Residual functions with the robot's constant tables at hand."""

    def __init__(self, robot: Robot) -> None:
        self.robot = robot
        self.table = g1_correspondence(robot)
        self.pairs = self_collision_pairs(robot)
        ankles = [robot.link("left_ankle_roll_link"), robot.link("right_ankle_roll_link")]
        soles = np.concatenate([sole_points_m(robot, "left"), sole_points_m(robot, "right")])
        self.soles = points_on_links(robot, np.repeat(ankles, 4), soles)
        start, end = capsule_ends(robot)
        matched = points_on_links(robot, self.table.link)
        self.points = _joined([matched, self.soles, start, end])
        self.parts = np.cumsum([len(matched.body), len(self.soles.body), len(start.body)])
        # [axis, joint] is 1 for the two hip joints of an axis.
        self.hips = np.array(
            [
                [float(name.endswith(f"_hip_{axis}_joint")) for name in robot.joint_names]
                for axis in HIP_AXES
            ]
        )
        self.off_ground = np.flatnonzero(~np.isin(robot.capsules.link, ankles)).astype(np.int32)
        self.low = robot.lower + terms.LIMIT_MARGIN_RAD
        self.high = robot.upper - terms.LIMIT_MARGIN_RAD

    def features(
        self, x: Pose, stretch: Array, target: Target, constants: Constants
    ) -> tuple[dict[str, Array], Float[Array, "2 2 3"]]:
        """Marks that the frame's terms look at; heels and toes for pairs."""
        places = world_points(self.robot, self.points, x.R, x.p, x.joints)
        _, _, start, end = jnp.split(places, self.parts)
        marks, feet = self._marks(places)
        marks["gaps"] = pair_distances(self.robot, start, end, self.pairs)[:, None]
        return marks, feet

    def marks_jacobian(
        self, x: Pose, target: Target, constants: Constants
    ) -> tuple[dict[str, Array], Float[Array, "2 2 3 29"]]:
        """Derivatives of the features by the frame's tangent."""
        places, moved, axes = moved_points(self.robot, self.points, x.R, x.p, x.joints)
        _, _, start, end = jnp.split(places, self.parts)
        marks, feet = self._marks(moved)
        by_joints = moved_pair_distances(self.robot, start, end, self.pairs, axes)
        marks["gaps"] = jnp.pad(by_joints, ((0, 0), (6, 0)))[:, None]
        return marks, feet

    def _marks(self, places: Float[Array, "N 3 *n"]) -> tuple[dict[str, Array], Array]:
        """Linear in the places, so that it gives the derivatives of marks from those of places."""
        matched, soles, start, end = jnp.split(places, self.parts)
        feet = soles.reshape(2, 2, 2, *places.shape[1:]).mean(axis=2)
        marks = {
            "limbs": terms.limbs_of(matched, self.table.limbs),
            "layout": terms.centred(matched),
            "toes": feet[:, 1],
            "soles": soles,
            "ends": jnp.concatenate([start[self.off_ground], end[self.off_ground]]),
        }
        return marks, feet

    def frame(
        self, view: View, stretch: Float[Array, " K"], target: Target, constants: Constants
    ) -> Residuals:
        """Residuals of one frame. `stretch`: logarithm of the limb ratios over their start."""
        marks, w = view.features, constants.weights
        ratio = (constants.ratios * jnp.exp(stretch))[self.table.kind]
        planted = target.stance > 0
        pull = w["end_effector_cost_weight"] * jnp.where(planted, w["planted foot"], 1.0)
        limbs = terms.limbs_of(target.points, self.table.limbs)
        height = terms.sole_height(marks["soles"][:, 2].reshape(2, 4), target.ground_z)
        return {
            "limb vectors": w["local_pose_cost_weight"]
            * terms.limb_vectors(limbs, marks["limbs"], ratio),
            "limb directions": w["local_pose_cost_weight"]
            * w["limb directions"]
            * terms.limb_directions(limbs, marks["limbs"]),
            "body layout": w["global_pose_cost_weight"]
            * terms.body_layout(terms.centred(target.points), marks["layout"], constants.scale),
            "end effector": pull[:, None] * (marks["toes"] - target.feet),
            "ground contact": w["ground_contact_cost_weight"]
            * w["ground contact"]
            * jnp.where(planted[:, None], height, 0.0),
            "self collision": w["self_coll_factor_weight"]
            * w["self collision"]
            * terms.below(marks["gaps"], terms.SELF_MARGIN_M),
            "sole collision": self._sole_collision(marks["soles"], constants),
            "body collision": self._body_collision(marks["ends"], constants),
        }

    def joints(self, x: Pose, target: Target, constants: Constants) -> dict[str, Array]:
        """Residuals of single joints in a frame."""
        w = constants.weights
        hips = w["hip"] * jnp.stack([w[f"hip_{axis}_cost_weight"] for axis in HIP_AXES]) @ self.hips
        limits = terms.outside(x.joints, jnp.asarray(self.low), jnp.asarray(self.high))
        every = {
            "joint limits": w["limit_cost_factor_weight"] * w["joint limits"] * limits,
            "hips": hips * x.joints,
            "rest": w["rest"] * (x.joints - constants.rest),
        }
        return {term: rows[:, None] for term, rows in every.items()}

    def joint_pairs(
        self, x: Pose, y: Pose, target: Target, next_target: Target, constants: Constants
    ) -> dict[str, Array]:
        """Residuals of single joints between two neighbouring frames."""
        w, (step_s, pace) = constants.weights, _pace(target, next_target)
        turn = y.joints - x.joints
        top = terms.VELOCITY_SHARE * jnp.asarray(self.robot.velocity, turn.dtype) * step_s
        too_fast = terms.outside(turn, -top, top)
        limit = w["limit_cost_factor_weight"] * w["velocity limit"]
        every = {
            "joint smoothness": w["smoothness_cost_factor_weight"] * pace * turn,
            "joint velocity": limit * pace * too_fast,
        }
        return {term: rows[:, None] for term, rows in every.items()}

    def pair(
        self,
        view: View,
        next_view: View,
        _: Array,
        target: Target,
        next_target: Target,
        constants: Constants,
    ) -> Residuals:
        """Residuals of two neighbouring frames, on the true time between them."""
        x, y, w = view.x, next_view.x, constants.weights
        pace = _pace(target, next_target)[1]
        held = (target.stance > 0) & (target.stance == next_target.stance)
        slide = next_view.features - view.features
        return {
            "foot skating": w["foot_skating_cost_weight"]
            * w["foot skating"]
            * pace
            * jnp.where(held[:, None, None], slide, 0.0),
            "root smoothness": w["root smoothness"]
            * w["smoothness_cost_factor_weight"]
            * pace
            * jnp.concatenate(
                [
                    terms.relative_turn(x.R, y.R, target.R_root, next_target.R_root),
                    (y.p - x.p) - (next_target.pelvis - target.pelvis),
                ]
            ),
        }

    def _sole_collision(
        self, points: Float[Array, "8 3"], constants: Constants
    ) -> Float[Array, "8"]:
        ground, known = ground_at(constants.raised_ground, points[:, :2])
        w = constants.weights
        gain = w["world_coll_factor_weight"] * w["sole collision"]
        return gain * known * terms.below(points[:, 2], ground)

    def _body_collision(
        self, points: Float[Array, "B 3"], constants: Constants
    ) -> Float[Array, " B"]:
        chosen = self.off_ground
        radius = jnp.asarray(np.tile(self.robot.capsules.radius[chosen], 2), points.dtype)
        ground, known = ground_at(constants.ground, points[:, :2])
        w = constants.weights
        floor = ground + radius + w["world_coll_margin"]
        return (
            w["world_coll_factor_weight"]
            * w["body collision"]
            * known
            * terms.below(points[:, 2], floor)
        )


def _pace(target: Target, next_target: Target) -> tuple[Array, Array]:
    """Time between two frames (s), and how many times faster than the reference rate they come."""
    step_s = next_target.time_s - target.time_s
    return step_s, 1.0 / (terms.REFERENCE_FPS * step_s)


def _joined(sets: list[PointSet]) -> PointSet:
    return PointSet(
        np.concatenate([points.body for points in sets]),
        np.concatenate([points.offset for points in sets]),
    )


def frame_mask(frames: int, padded: int) -> Bool[np.ndarray, "1 F"]:
    """True for the frames that exist."""
    return (np.arange(padded) < frames)[None]
