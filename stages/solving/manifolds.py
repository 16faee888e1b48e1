"""Rotations in JAX: exponential and logarithm with derivatives that hold at zero.

Rotations are 3x3 matrices; tangents are rotation vectors in radians. Rodrigues' formula, written
with half angles so that float32 keeps its digits for small angles.
"""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float


def hat(v: Float[Array, "*b 3"]) -> Float[Array, "*b 3 3"]:
    """Cross-product matrix: `hat(a) @ b == cross(a, b)`."""
    x, y, z = v[..., 0], v[..., 1], v[..., 2]
    zero = jnp.zeros_like(x)
    rows = [zero, -z, y, z, zero, -x, -y, x, zero]
    return jnp.stack(rows, axis=-1).reshape((*v.shape[:-1], 3, 3))


def rotation_exp(v: Float[Array, "*b 3"]) -> Float[Array, "*b 3 3"]:
    """Rotation matrix of a rotation vector."""
    theta2 = jnp.sum(v * v, axis=-1)
    small = theta2 < 1e-6
    theta = jnp.sqrt(jnp.where(small, 1.0, theta2))
    sinc = jnp.where(small, 1.0 - theta2 / 6.0, jnp.sin(theta) / theta)
    half = 0.5 * theta
    sinc_half = jnp.where(small, 1.0 - theta2 / 24.0, jnp.sin(half) / half)
    versine = 0.5 * sinc_half**2  # (1 - cos) / theta^2
    outer = v[..., :, None] * v[..., None, :]
    eye = jnp.eye(3, dtype=v.dtype)
    return (
        eye
        + sinc[..., None, None] * hat(v)
        + versine[..., None, None] * (outer - theta2[..., None, None] * eye)
    )


@jax.custom_jvp
def rotation_log(R: Float[Array, "*b 3 3"]) -> Float[Array, "*b 3"]:
    """Rotation vector of a rotation matrix, angle in [0, pi).

    Within about 1e-3 rad of half a turn the axis is ill defined in float32; the result stays
    finite there and its length falls short of pi.
    """
    sine_axis = 0.5 * jnp.stack(
        [
            R[..., 2, 1] - R[..., 1, 2],
            R[..., 0, 2] - R[..., 2, 0],
            R[..., 1, 0] - R[..., 0, 1],
        ],
        axis=-1,
    )
    cosine = 0.5 * (R[..., 0, 0] + R[..., 1, 1] + R[..., 2, 2] - 1.0)
    sine2 = jnp.sum(sine_axis * sine_axis, axis=-1)
    small = sine2 < 1e-6
    sine = jnp.sqrt(jnp.where(small, 1.0, sine2))
    ratio = jnp.where(small, 1.0 + sine2 / 6.0, jnp.arctan2(sine, cosine) / sine)
    return ratio[..., None] * sine_axis


@rotation_log.defjvp
def _rotation_log_jvp(primals, tangents):
    """A turn w in the outer frame changes the vector v by (1 - hat(v) / 2 + c hat(v)^2) w."""
    (R,), (dR,) = primals, tangents
    v = rotation_log(R)
    turn = jnp.stack(
        [jnp.sum(dR[..., a, :] * R[..., b, :], axis=-1) for a, b in ((2, 1), (0, 2), (1, 0))],
        axis=-1,
    )
    theta2 = jnp.sum(v * v, axis=-1)
    small = theta2 < 1e-3
    half = 0.5 * jnp.sqrt(jnp.where(small, 1.0, theta2))
    c = (1.0 - half * jnp.cos(half) / jnp.sin(half)) / jnp.where(small, 1.0, theta2)
    c = jnp.where(small, 1.0 / 12.0 + theta2 / 720.0, c)
    across = jnp.cross(v, turn)
    return v, turn - 0.5 * across + c[..., None] * jnp.cross(v, across)


def matmul_3x3(R: Float[Array, "*b 3 3"], A: Float[Array, "*b 3 3"]) -> Float[Array, "*b 3 3"]:
    """`R @ A`, for many: CPUs take longer to call many tiny products than to add these up."""
    x, y, z = (R[..., :, k, None] * A[..., k, None, :] for k in range(3))
    return x + y + z


def rotate_left(R: Float[Array, "*b 3 3"], delta: Float[Array, "*b 3"]) -> Float[Array, "*b 3 3"]:
    """Retract a rotation along a tangent in its outer (left) frame: `exp(delta) @ R`."""
    return matmul_3x3(rotation_exp(delta), R)


def rotate_left_linear(
    R: Float[Array, "*b 3 3"], delta: Float[Array, "*b 3"]
) -> Float[Array, "*b 3 3"]:
    """`rotate_left` to first order in delta."""
    return R + matmul_3x3(hat(delta), R)
