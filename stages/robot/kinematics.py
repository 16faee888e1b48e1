"""Forward kinematics in JAX.

Poses of all bodies come from composing each joint with its ancestors by pointer jumping: after k
rounds every body knows its pose relative to its 2^k-th ancestor, so a tree of depth 8 takes three
batched products and the compiled program stays small. Derivatives are not traced through that:
a joint that turns about a world axis `a` through the point `o` moves a point `p` that it carries
with velocity `a x (p - o)`, which is exact and much smaller.
"""

from __future__ import annotations

from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from stages.robot.model import Robot


class BodyPoses(NamedTuple):
    """World poses of the bodies: 0 is the root link, j+1 what joint j carries (metres)."""

    R: Float[Array, "J+1 3 3"]
    p: Float[Array, "J+1 3"]


class LinkPoses(NamedTuple):
    """World poses of all links in URDF order (metres)."""

    R: Float[Array, "L 3 3"]
    p: Float[Array, "L 3"]


def link_poses(
    robot: Robot,
    R_world_root: Float[Array, "3 3"],
    p_world_root: Float[Array, "3"],
    joints: Float[Array, "J"],
) -> LinkPoses:
    """World pose of every link. `joints` in radians, URDF order."""
    bodies = body_poses(robot, R_world_root, p_world_root, joints)
    R_body, p_body = bodies.R[robot.link_body], bodies.p[robot.link_body]
    link_R = jnp.asarray(robot.link_R, R_body.dtype)
    return LinkPoses(R_body @ link_R, p_body + _turn(R_body, robot.link_p))


def points_on_links(
    robot: Robot, bodies: BodyPoses, links: np.ndarray, points: Float[np.ndarray, "N 3"]
) -> Float[Array, "N 3"]:
    """World positions of points fixed to links (`points[i]` in the frame of link `links[i]`)."""
    offsets = robot.link_p[links] + np.einsum("nij,nj->ni", robot.link_R[links], points)
    of_body = robot.link_body[links]
    return bodies.p[of_body] + _turn(bodies.R[of_body], offsets)


def body_poses(
    robot: Robot,
    R_world_root: Float[Array, "3 3"],
    p_world_root: Float[Array, "3"],
    joints: Float[Array, "J"],
) -> BodyPoses:
    """World pose of every moving body."""
    R, p = _compose_up(robot, joints)
    R, p = R_world_root @ R, p_world_root + p @ R_world_root.T
    return BodyPoses(
        jnp.concatenate([R_world_root[None], R]), jnp.concatenate([p_world_root[None], p])
    )


def turn_about(
    axis: Float[Array, "*batch 3"], angle: Float[Array, "*batch"]
) -> Float[Array, "*batch 3 3"]:
    """Rotation matrices about unit axes (Rodrigues' formula)."""
    x, y, z = axis[..., 0], axis[..., 1], axis[..., 2]
    zero = jnp.zeros_like(x)
    cross = jnp.stack([zero, -z, y, z, zero, -x, -y, x, zero], -1).reshape(*axis.shape, 3)
    outer = axis[..., :, None] * axis[..., None, :]
    c, s = jnp.cos(angle)[..., None, None], jnp.sin(angle)[..., None, None]
    return c * jnp.eye(3, dtype=outer.dtype) + (1 - c) * outer + s * cross


@partial(jax.custom_jvp, nondiff_argnums=(0,))
def _compose_up(robot: Robot, joints: Array) -> tuple[Array, Array]:
    """Poses of the J carried bodies in the root link's frame."""
    dtype = joints.dtype
    turn = turn_about(jnp.asarray(robot.joint_axis, dtype), joints)
    R = jnp.asarray(robot.joint_R, dtype) @ turn
    p = jnp.asarray(robot.joint_p, dtype)
    # Slot 0 is the root, which is its own parent and stays the identity.
    R = jnp.concatenate([jnp.eye(3, dtype=dtype)[None], R])
    p = jnp.concatenate([jnp.zeros((1, 3), dtype), p])
    ancestor = np.concatenate([[0], robot.joint_parent])
    while ancestor.any():
        R, p = R[ancestor] @ R, p[ancestor] + _turn(R[ancestor], p)
        ancestor = ancestor[ancestor]
    return R[1:], p[1:]


@_compose_up.defjvp
def _compose_up_jvp(
    robot: Robot, primals: tuple[Array], tangents: tuple[Array]
) -> tuple[tuple[Array, Array], tuple[Array, Array]]:
    (joints,), (rates,) = primals, tangents
    R, p = _compose_up(robot, joints)
    axes = _turn(R, robot.joint_axis)
    carries = jnp.asarray(_carries(robot), R.dtype)
    # Sum over the joints j that carry body b: spin = sum a_j q'_j, velocity = sum a_j q'_j x (p_b
    # - p_j) = spin x p_b - sum (a_j q'_j) x p_j.
    spins = axes * rates[:, None]
    spin = carries @ spins
    velocity = jnp.cross(spin, p) - carries @ jnp.cross(spins, p)
    R_rate = jnp.cross(spin[:, None, :], R, axisb=1, axisc=1)
    return (R, p), (R_rate, velocity)


def _carries(robot: Robot) -> np.ndarray:
    """(J, J) 0/1: [b, j] says whether joint j moves what joint b carries."""
    count = len(robot.joint_names)
    carries = np.eye(count)
    for body in range(count):
        parent = robot.joint_parent[body] - 1
        if parent >= 0:
            carries[body] = np.maximum(carries[body], carries[parent])
    return carries


def _turn(R: Float[Array, "N 3 3"], vectors: Float[Array, "N 3"]) -> Float[Array, "N 3"]:
    return jnp.einsum("nij,nj->ni", R, jnp.asarray(vectors, R.dtype))
