"""Forward kinematics in JAX: world places of points fixed to a robot's links.

Poses of all bodies come from composing each joint with its ancestors by pointer jumping: after k
rounds every body knows its pose relative to its 2^k-th ancestor, so a tree of depth 8 takes three
batched products and the compiled program stays small. Derivatives are written down instead of
traced: a joint that turns about a world axis `a` through the point `o` moves a point `p` that it
carries with velocity `a x (p - o)`.
"""

from dataclasses import dataclass
from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from stages.robot.model import Robot


class LinkPoses(NamedTuple):
    """World poses of all links in URDF order (metres)."""

    R: Float[Array, "L 3 3"]
    p: Float[Array, "L 3"]


@dataclass(frozen=True, eq=False)
class PointSet:
    """Points fixed to bodies: body 0 is the root link, j+1 what joint j carries (metres)."""

    body: Int[np.ndarray, " N"]
    offset: Float[np.ndarray, "N 3"]


def points_on_links(
    robot: Robot, links: Int[np.ndarray, " N"], points: Float[np.ndarray, "N 3"] | None = None
) -> PointSet:
    """Points given in the frames of links (`points[i]` in that of `links[i]`); default: origins."""
    offset = robot.link_p[links]
    if points is not None:
        offset = offset + np.einsum("nij,nj->ni", robot.link_R[links], points)
    return PointSet(robot.link_body[links], offset)


class Axes(NamedTuple):
    """World axes that joints turn about: unit directions and a point on each (m)."""

    direction: Float[Array, "3 J"]
    origin: Float[Array, "3 J"]


def world_points(
    robot: Robot,
    points: PointSet,
    R_world_root: Float[Array, "3 3"],
    p_world_root: Float[Array, "3"],
    joints: Float[Array, " J"],
) -> Float[Array, "N 3"]:
    """World positions of points (m)."""
    R, p = body_poses(robot, R_world_root, p_world_root, joints)
    return p[points.body] + _turn(R[points.body], points.offset)


def moved_points(
    robot: Robot,
    points: PointSet,
    R_world_root: Float[Array, "3 3"],
    p_world_root: Float[Array, "3"],
    joints: Float[Array, " J"],
) -> tuple[Float[Array, "N 3"], Float[Array, "N 3 6+J"], Axes]:
    """World positions of points, their derivatives and the joints' axes.

    Derivatives are by the root's turn (rotation vector, world axes), its place and the joints.
    """
    R, p = body_poses(robot, R_world_root, p_world_root, joints)
    places = p[points.body] + _turn(R[points.body], points.offset)
    eye = jnp.eye(3, dtype=places.dtype)
    axes = Axes(_turn(R[1:], robot.joint_axis).T, p[1:].T)
    x, y, z = jnp.concatenate([eye, axes.direction], axis=1)
    origin = jnp.concatenate([jnp.tile(p[:1].T, (1, 3)), axes.origin], axis=1)
    carried = carriers(robot)[points.body][:, [0, 0, 0, *range(1, len(p))]]
    arms = (places[:, :, None] - origin) * jnp.asarray(carried, places.dtype)[:, None]
    a, b, c = arms[:, 0], arms[:, 1], arms[:, 2]
    spun = jnp.stack([y * c - z * b, z * a - x * c, x * b - y * a], axis=1)
    shifted = jnp.broadcast_to(eye, (len(places), 3, 3))
    return places, jnp.concatenate([spun[..., :3], shifted, spun[..., 3:]], axis=-1), axes


def link_poses(
    robot: Robot,
    R_world_root: Float[Array, "3 3"],
    p_world_root: Float[Array, "3"],
    joints: Float[Array, " J"],
) -> LinkPoses:
    """World pose of every link. `joints` in radians, URDF order."""
    R, p = body_poses(robot, R_world_root, p_world_root, joints)
    R_body, p_body = R[robot.link_body], p[robot.link_body]
    link_R = jnp.asarray(robot.link_R, R_body.dtype)
    return LinkPoses(R_body @ link_R, p_body + _turn(R_body, robot.link_p))


def body_poses(
    robot: Robot,
    R_world_root: Float[Array, "3 3"],
    p_world_root: Float[Array, "3"],
    joints: Float[Array, " J"],
) -> tuple[Float[Array, "J+1 3 3"], Float[Array, "J+1 3"]]:
    """World rotation and position of every body: the root link, then what each joint carries."""
    dtype = joints.dtype
    turn = turn_about(jnp.asarray(robot.joint_axis, dtype), joints)
    # Slot 0 is the root, which counts as its own parent at the identity until the end.
    R = jnp.concatenate([jnp.eye(3, dtype=dtype)[None], jnp.asarray(robot.joint_R, dtype) @ turn])
    p = jnp.concatenate([jnp.zeros((1, 3), dtype), jnp.asarray(robot.joint_p, dtype)])
    ancestor = np.concatenate([[0], robot.joint_parent])
    while ancestor.any():
        R, p = R[ancestor] @ R, p[ancestor] + _turn(R[ancestor], p)
        ancestor = ancestor[ancestor]
    return R_world_root @ R, p_world_root + p @ R_world_root.T


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


def carriers(robot: Robot) -> Float[np.ndarray, "B B"]:
    """[b, c] is 1 where body b moves with body c's own joint; body 0's is the floating base."""
    count = len(robot.joint_names) + 1
    carriers = np.eye(count)
    for body, parent in enumerate(robot.joint_parent, start=1):
        carriers[body] += carriers[parent]
    return carriers


def _turn(
    R: Float[Array, "N 3 3"], vectors: Float[Array | np.ndarray, "N 3"]
) -> Float[Array, "N 3"]:
    return jnp.einsum("nij,nj->ni", R, jnp.asarray(vectors, R.dtype))
