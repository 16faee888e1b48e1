"""The terms of retargeting: each a pure function to a residual, declared with what weighs it.

The list is VideoMimic's. Units: metres for places, radians for angles; a residual of one metre or
radian costs the term's weight squared (and a half). The weight is the user's times a gain; gains
bring the terms to scales at which the original's default weights hold the robot to the ground: its
own terms acted through absolute values and on other quantities.
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from stages.robot.model import Robot
from stages.robot.terrain import ground_at
from stages.solving import rotation_log
from stages.stage4_retarget.features import RobotFeatures, centred
from stages.stage4_retarget.variables import Constants, Pose, Target
from stages.stage4_retarget.weights import CostWeights

# Soft limits lie this far inside the hard ones, rad, so that rounding cannot cross those.
LIMIT_MARGIN_RAD = 0.004
# Share of a joint's top speed that the motion may use.
VELOCITY_SHARE = 0.9
SELF_MARGIN_M = 0.015
# A foot in contact is drawn to its target this much harder than one in swing.
CONTACT_PULL = 4.0
# Frames per second at which the smoothness weights keep the original's meaning.
REFERENCE_FPS = 30.0


class FrameView(NamedTuple):
    """What the terms of a frame see besides its variables."""

    features: RobotFeatures
    target: Target
    constants: Constants
    ratio: Float[Any, " E"]
    """The person's length over the robot's, by limb."""

    @property
    def robot(self) -> Robot:
        return self.features.robot


class PairView(NamedTuple):
    """What the terms of two neighbouring frames see besides their variables."""

    robot: Robot
    target: Target
    next_target: Target

    @property
    def step_s(self) -> Float[Any, ""]:
        return self.next_target.time_s - self.target.time_s

    @property
    def pace(self) -> Float[Any, ""]:
        """How many times faster than at the reference rate the frames come."""
        return 1.0 / (REFERENCE_FPS * self.step_s)


@dataclass(frozen=True)
class Term:
    """A residual and how much it counts.

    Attributes:
        residual: of a frame: (features, FrameView); of single joints in a frame: (angles, Robot,
            Constants); of a pair of frames: (pose, next pose, heels and toes, next ones,
            PairView); of single joints in a pair: (turn, PairView). Those of pairs act on speeds:
            they count times `PairView.pace`.
        flag: the field of `CostWeights` that weighs it; None: nothing does.
        gain: times that weight.
        features: the group of the robot's features that a frame's term looks at, row by row.
        follows: whether it draws the robot to the person, and so counts less where they are not
            seen.
        relaxed: share of the weight in the first solve, before surfaces push.
        hard: factor in the last solve of a motion that leans on limits.
    """

    residual: Callable[..., Any]
    flag: str | None
    gain: float
    features: str = ""
    follows: bool = False
    relaxed: float = 1.0
    hard: float = 1.0


FRAME_TERMS: dict[str, Term] = {}
JOINT_TERMS: dict[str, Term] = {}
PAIR_TERMS: dict[str, Term] = {}
JOINT_PAIR_TERMS: dict[str, Term] = {}


def _term(
    kind: dict[str, Term], flag: str | None, gain: float = 1.0, **use: Any
) -> Callable[[Callable], Callable]:
    """Declares a function as the term of its name."""

    def declare(residual: Callable) -> Callable:
        kind[residual.__name__.replace("_", " ")] = Term(residual, flag, gain, **use)
        return residual

    return declare


def all_terms() -> dict[str, Term]:
    return FRAME_TERMS | JOINT_TERMS | PAIR_TERMS | JOINT_PAIR_TERMS


def term_weights(weights: CostWeights) -> dict[str, np.float32]:
    """Weights by term, as arrays, so that changing them does not compile again."""
    given = asdict(weights)
    return {
        name: np.float32(term.gain * (1.0 if term.flag is None else given[term.flag]))
        for name, term in all_terms().items()
    }


@_term(FRAME_TERMS, "local_pose_cost_weight", features="limbs", follows=True)
def limb_vectors(limbs: Float[Array, "E 3"], at: FrameView) -> Float[Array, "E 3"]:
    """Difference between the person's limbs and the robot's, the latter `ratio` times longer."""
    return at.features.limbs_of(at.target.points) - limbs * at.ratio[:, None]


@_term(FRAME_TERMS, "local_pose_cost_weight", gain=0.4, features="limbs", follows=True)
def limb_directions(limbs: Float[Array, "E 3"], at: FrameView) -> Float[Array, "E 3"]:
    """Difference of the limbs' unit vectors; its square is twice one minus the cosine."""
    return _unit(at.features.limbs_of(at.target.points)) - _unit(limbs)


@_term(FRAME_TERMS, "global_pose_cost_weight", features="layout", follows=True)
def body_layout(layout: Float[Array, "N 3"], at: FrameView) -> Float[Array, "N 3"]:
    """Difference of the bodies, each about its centre, the person shrunk to the robot's size."""
    return at.constants.scale * centred(at.target.points) - layout


@_term(FRAME_TERMS, "end_effector_cost_weight", features="toes", follows=True)
def end_effector(toes: Float[Array, "2 3"], at: FrameView) -> Float[Array, "2 3"]:
    """Distance of the front sole points from the feet's targets."""
    pull = jnp.where(at.target.contact > 0, CONTACT_PULL, 1.0)
    return pull[:, None] * (toes - at.target.feet)


@_term(FRAME_TERMS, "ground_contact_cost_weight", gain=120.0, features="soles", relaxed=0.1)
def ground_contact(soles: Float[Array, "8 3"], at: FrameView) -> Float[Array, "2 4"]:
    """Height of the sole points (two heel, two toe) of feet in contact over the ground at toe and
    heel; zero where that is NaN."""
    toe_z, heel_z = at.target.ground_z[:, 0], at.target.ground_z[:, 1]
    ground = jnp.stack([heel_z, heel_z, toe_z, toe_z], axis=1)
    over = soles[:, 2].reshape(2, 4) - jnp.nan_to_num(ground)
    return jnp.where((at.target.contact[:, None] > 0) & ~jnp.isnan(ground), over, 0.0)


@_term(FRAME_TERMS, "self_coll_factor_weight", gain=60.0, features="gaps", hard=3.0)
def self_collision(gaps: Float[Array, "C 1"], at: FrameView) -> Float[Array, "C 1"]:
    """How much closer pairs of capsules are than a margin."""
    return below(gaps, SELF_MARGIN_M)


@_term(
    FRAME_TERMS, "world_coll_factor_weight", gain=1000.0, features="soles", relaxed=0.0, hard=2.0
)
def sole_collision(soles: Float[Array, "8 3"], at: FrameView) -> Float[Array, "8"]:
    """How deep sole points are in the ground, which is raised beside risers."""
    ground, known = ground_at(at.constants.raised_ground, soles[:, :2])
    return known * below(soles[:, 2], ground)


@_term(FRAME_TERMS, "world_coll_factor_weight", gain=300.0, features="ends", relaxed=0.0, hard=3.0)
def body_collision(ends: Float[Array, "B 3"], at: FrameView) -> Float[Array, " B"]:
    """How deep capsules but the feet's are in the ground, or in the margin above it."""
    radius = at.robot.capsules.radius[at.features.off_ground]
    ground, known = ground_at(at.constants.ground, ends[:, :2])
    floor = ground + jnp.asarray(np.tile(radius, 2), ends.dtype) + at.constants.collision_margin_m
    return known * below(ends[:, 2], floor)


@_term(JOINT_TERMS, "limit_cost_factor_weight", gain=0.1, hard=10.0)
def joint_limits(
    joints: Float[Array, " J"], robot: Robot, constants: Constants
) -> Float[Array, " J"]:
    """How far joints are outside of the soft limits."""
    low, high = robot.lower + LIMIT_MARGIN_RAD, robot.upper - LIMIT_MARGIN_RAD
    return outside(joints, jnp.asarray(low), jnp.asarray(high))


def _hips(
    axis: str, joints: Float[Array, " J"], robot: Robot, constants: Constants
) -> Float[Array, " J"]:
    """Angles of the two hip joints of an axis."""
    of_axis = [name.endswith(f"_hip_{axis}_joint") for name in robot.joint_names]
    return jnp.where(np.array(of_axis), joints, 0.0)


for _axis in ("yaw", "pitch", "roll"):
    JOINT_TERMS[f"hip {_axis}"] = Term(partial(_hips, _axis), f"hip_{_axis}_cost_weight", 0.2)


@_term(JOINT_TERMS, None, gain=0.2)
def rest(joints: Float[Array, " J"], robot: Robot, constants: Constants) -> Float[Array, " J"]:
    """Distance from the rest pose."""
    return joints - constants.rest


@_term(JOINT_PAIR_TERMS, "smoothness_cost_factor_weight")
def joint_smoothness(turn: Float[Array, " J"], between: PairView) -> Float[Array, " J"]:
    """Turns of the joints."""
    return turn


@_term(JOINT_PAIR_TERMS, "limit_cost_factor_weight", gain=0.1)
def joint_velocity(turn: Float[Array, " J"], between: PairView) -> Float[Array, " J"]:
    """Turns beyond what the joints' top speeds allow."""
    top = jnp.asarray(between.robot.velocity, turn.dtype) * VELOCITY_SHARE * between.step_s
    return outside(turn, -top, top)


@_term(PAIR_TERMS, "foot_skating_cost_weight", gain=60.0, relaxed=0.1)
def foot_skating(
    x: Pose,
    y: Pose,
    feet: Float[Array, "2 2 3"],
    next_feet: Float[Array, "2 2 3"],
    between: PairView,
) -> Float[Array, "2 2 3"]:
    """Slides of heel and toe of a foot that stays in one contact."""
    contact, next_contact = between.target.contact, between.next_target.contact
    same = (contact > 0) & (contact == next_contact)
    return jnp.where(same[:, None, None], next_feet - feet, 0.0)


@_term(PAIR_TERMS, "smoothness_cost_factor_weight", gain=10.0)
def root_smoothness(
    x: Pose, y: Pose, feet: Array, next_feet: Array, between: PairView
) -> Float[Array, "6"]:
    """Turn and way of the robot's root beyond those of the person's."""
    here, there = between.target, between.next_target
    turn = relative_turn(x.R, y.R, here.R_root, there.R_root)
    return jnp.concatenate([turn, (y.p - x.p) - (there.pelvis - here.pelvis)])


def below(value: Float[Array, "*n"], floor: Float[Array, "*n"] | float) -> Float[Array, "*n"]:
    """How far values lie below a floor; zero above it."""
    return jnp.maximum(floor - value, 0.0)


def outside(
    value: Float[Array, " J"], low: Float[Array, " J"], high: Float[Array, " J"]
) -> Float[Array, " J"]:
    """How far values lie outside a range; zero inside."""
    return below(value, low) + below(-value, -high)


def relative_turn(
    R: Float[Array, "3 3"],
    R_next: Float[Array, "3 3"],
    H: Float[Array, "3 3"],
    H_next: Float[Array, "3 3"],
) -> Float[Array, "3"]:
    """Rotation vector (rad) by which the robot's turn exceeds the person's."""
    return rotation_log((R_next @ R.T) @ (H_next @ H.T).T)


def _unit(vectors: Float[Array, "E 3"]) -> Float[Array, "E 3"]:
    return vectors / jnp.sqrt(jnp.sum(vectors * vectors, axis=-1, keepdims=True) + 1e-8)
