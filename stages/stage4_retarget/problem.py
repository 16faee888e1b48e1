"""The least-squares problem of retargeting: 29 numbers a frame, a few limb ratios for all."""

import functools

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float

from stages.robot.model import Robot
from stages.solving import (
    Blocks,
    PointFeatures,
    Problem,
    View,
    digest_of,
    rotate_left,
    rotate_left_linear,
)
from stages.solving.problem import Residuals
from stages.stage4_retarget.features import RobotFeatures
from stages.stage4_retarget.terms import (
    FRAME_TERMS,
    JOINT_PAIR_TERMS,
    JOINT_TERMS,
    PAIR_TERMS,
    FrameView,
    PairView,
    all_terms,
)
from stages.stage4_retarget.variables import Constants, Pose, Target


def relaxed(constants: Constants, self_collision: float) -> Constants:
    """The same for a first solve: each term's relaxed share, and that of self-collision."""
    factors = {name: term.relaxed for name, term in all_terms().items()}
    return _scaled(constants, {**factors, "self collision": self_collision})


def with_hard_limits(constants: Constants) -> Constants:
    """The same with limits that hardly give: for the last steps of a motion that leans on them."""
    return _scaled(constants, {name: term.hard for name, term in all_terms().items()})


def _scaled(constants: Constants, factors: dict[str, float]) -> Constants:
    weights = {name: w * np.float32(factors[name]) for name, w in constants.weights.items()}
    return constants._replace(weights=weights)


@functools.cache
def retargeting_problem(robot: Robot) -> Problem:
    """The problem of a robot; the same object each time, so that it compiles once."""
    features = RobotFeatures(robot)
    joints = len(robot.joint_names)
    residuals = _Residuals(features)
    return Problem(
        frame_size=6 + joints,
        retract_frame=_retract,
        frame_residuals=residuals.frame,
        pair_residuals=residuals.pair,
        shared_residuals=lambda log_ratio, constants: {"limb ratios": log_ratio},
        shared_size=int(features.table.kind.max()) + 1,
        retract_shared=lambda log_ratio, delta: log_ratio + delta,
        pairs_use_shared=False,
        features=features.features,
        blocks=Blocks(6, 1, joints, residuals.joints, residuals.joint_pairs),
        point_features=PointFeatures(
            features.jacobian, {name: term.features for name, term in FRAME_TERMS.items()}
        ),
        linear_retract_frame=_linear_retract,
        closure_digest=digest_of(robot),
    )


def _retract(x: Pose, delta: Float[Array, "29"]) -> Pose:
    return Pose(rotate_left(x.R, delta[:3]), x.p + delta[3:6], x.joints + delta[6:])


def _linear_retract(x: Pose, delta: Float[Array, "29"]) -> Pose:
    return Pose(rotate_left_linear(x.R, delta[:3]), x.p + delta[3:6], x.joints + delta[6:])


class _Residuals:
    """The declared terms, weighed, as the solver asks for them."""

    def __init__(self, features: RobotFeatures) -> None:
        self.features, self.robot = features, features.robot

    def frame(
        self, view: View, log_ratio: Float[Array, " K"], target: Target, constants: Constants
    ) -> Residuals:
        """Of one frame. `log_ratio`: logarithm of the limb ratios over their start."""
        ratio = (constants.ratios * jnp.exp(log_ratio))[self.features.table.kind]
        at = FrameView(self.features, target, constants, ratio)
        found: Residuals = {}
        for name, term in FRAME_TERMS.items():
            weight = constants.weights[name] * (target.follow if term.follows else 1.0)
            found[name] = weight * term.residual(view.features[term.features], at)
        return found

    def joints(self, x: Pose, target: Target, constants: Constants) -> dict[str, Array]:
        """Of single joints in a frame."""
        return {
            name: constants.weights[name] * term.residual(x.joints, self.robot, constants)[:, None]
            for name, term in JOINT_TERMS.items()
        }

    def joint_pairs(
        self, x: Pose, y: Pose, target: Target, next_target: Target, constants: Constants
    ) -> dict[str, Array]:
        """Of single joints between two neighbouring frames."""
        between, turn = PairView(self.robot, target, next_target), y.joints - x.joints
        return {
            name: constants.weights[name] * between.pace * term.residual(turn, between)[:, None]
            for name, term in JOINT_PAIR_TERMS.items()
        }

    def pair(
        self,
        view: View,
        next_view: View,
        _: Array,
        target: Target,
        next_target: Target,
        constants: Constants,
    ) -> Residuals:
        """Of two neighbouring frames."""
        between = PairView(self.robot, target, next_target)
        poses_and_feet = view.x, next_view.x, view.features, next_view.features
        return {
            name: constants.weights[name] * between.pace * term.residual(*poses_and_feet, between)
            for name, term in PAIR_TERMS.items()
        }


def frame_mask(frames: int, padded: int) -> Bool[np.ndarray, "1 F"]:
    """True for the frames that exist."""
    return (np.arange(padded) < frames)[None]
