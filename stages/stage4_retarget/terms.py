"""The costs of retargeting, each a pure function from points and targets to a residual.

The list is VideoMimic's. Units: metres for places, radians for angles; a residual of one metre or
radian costs the term's weight squared (and a half). GAINS bring the terms to scales at which the
original's default weights hold the robot to the ground: its own terms acted through absolute
values and on other quantities.
"""

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from stages.solving import rotation_log

GAINS = {
    "limb directions": 0.4,
    "planted foot": 4.0,
    "ground contact": 120.0,
    "foot skating": 60.0,
    "root smoothness": 10.0,
    "self collision": 60.0,
    "sole collision": 1000.0,
    "body collision": 300.0,
    "joint limits": 0.1,
    "hip": 0.2,
    "rest": 0.2,
    "velocity limit": 0.1,
}
# Soft limits lie this far inside the hard ones, rad, so that rounding cannot cross those.
LIMIT_MARGIN_RAD = 0.004
# Share of a joint's top speed that the motion may use.
VELOCITY_SHARE = 0.9
SELF_MARGIN_M = 0.015
# Frames per second at which the smoothness weights keep the original's meaning.
REFERENCE_FPS = 30.0


def limb_vectors(
    human: Float[Array, "E 3"], robot: Float[Array, "E 3"], ratio: Float[Array, " E"]
) -> Float[Array, "E 3"]:
    """Difference between the person's limbs and the robot's, the latter `ratio` times longer."""
    return human - robot * ratio[:, None]


def limb_directions(human: Float[Array, "E 3"], robot: Float[Array, "E 3"]) -> Float[Array, "E 3"]:
    """Difference of the limbs' unit vectors; its square is twice one minus the cosine."""
    return _unit(human) - _unit(robot)


def body_layout(
    human: Float[Array, "N 3"], robot: Float[Array, "N 3"], scale: Float[Array, ""]
) -> Float[Array, "N 3"]:
    """Difference of the bodies, each about its centre, the person shrunk by `scale`."""
    return scale * human - robot


def limbs_of(points: Float[Array, " N *b"], limbs: np.ndarray) -> Float[Array, " E *b"]:
    """Vectors along limbs, given as pairs of points."""
    return points[limbs[:, 1]] - points[limbs[:, 0]]


def centred(points: Float[Array, " N *b"]) -> Float[Array, " N *b"]:
    """Points about their centre."""
    return points - jnp.mean(points, axis=0)


def sole_height(sole_z: Float[Array, "2 4"], ground_z: Float[Array, "2 2"]) -> Float[Array, "2 4"]:
    """Sole points (two heel, two toe) over the ground at toe and heel; zero where that is NaN."""
    ground = jnp.stack([ground_z[:, 1], ground_z[:, 1], ground_z[:, 0], ground_z[:, 0]], axis=1)
    return jnp.where(jnp.isnan(ground), 0.0, sole_z - jnp.nan_to_num(ground))


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
