"""Points fixed to a skeleton: keypoints, soles, whatever measurements speak of.

A point is fixed by weights over the joints, as a skinned vertex is; a joint is a point that belongs
to itself alone. Pose-dependent skin corrections (millimetres at feet) are left out.
"""

from collections.abc import Sequence
from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from stages.body import skin
from stages.body.joint_names import SMPL_PARENTS
from stages.body.kinematics import forward_kinematics
from stages.body.model import JOINT_COUNT, BodyModel


class Skeleton(NamedTuple):
    """One person's skeleton and P points of it in the zero pose, metres, model axes."""

    joints: Float[np.ndarray, "24 3"]
    points: Float[np.ndarray, "P 3"]
    weights: Float[np.ndarray, "P 24"]
    depths: Float[np.ndarray, " P"]
    """From the skin down to each point."""


class BesideJoint(NamedTuple):
    """A point that keeps its distance from a joint and moves with the bone from another one."""

    joint: int
    bone_from: int
    offset_m: tuple[float, float, float]
    """In the zero pose, model axes."""


Point = int | np.ndarray | BesideJoint
"""A joint, the vertices that a point is the middle of, or a place beside a joint."""


def skeleton_of(
    model: BodyModel, betas: Float[np.ndarray, " 10"], points: Sequence[Point]
) -> Skeleton:
    """The skeleton of a shape, and points of it."""
    betas = np.asarray(betas, np.float32)
    vertices, joints = model.v_template + model.shapedirs @ betas, model.rest_joints(betas)
    own = np.eye(JOINT_COUNT)
    places, weights, depths = [], [], []
    for point in points:
        if isinstance(point, np.ndarray):
            places.append(vertices[point].mean(axis=0))
            weights.append(model.weights[point].mean(axis=0))
            depths.append(0.0)
        else:
            if isinstance(point, BesideJoint):
                places.append(joints[point.joint] + point.offset_m)
                weights.append(own[point.bone_from])
            else:
                places.append(joints[point])
                weights.append(own[point])
            depths.append(np.linalg.norm(vertices - places[-1], axis=1).min())
    return Skeleton(*(np.array(part, np.float32) for part in (joints, places, weights, depths)))


def skeleton_points(
    rotmats: Float[Array, "24 3 3"], root: Float[Array, "3"], skeleton: Skeleton
) -> Float[Array, "P 3"]:
    """Points of a pose; `rotmats[0]` takes the root to the world, `root` is the pelvis there."""
    R, p = forward_kinematics(rotmats, skeleton.joints, root)
    return _parts(R, p, skeleton).sum(axis=1)


def skeleton_points_jacobian(
    rotmats: Float[Array, "24 3 3"], root: Float[Array, "3"], skeleton: Skeleton
) -> Float[Array, "P 3 72"]:
    """Derivatives of the points by the turns (rad) of the joints in the axes of their parents; the
    root's in the world's.

    A turn about the unit axis w of joint k moves a point q on a limb below it by w x (q - p_k).
    """
    R, p = forward_kinematics(rotmats, skeleton.joints, root)
    above = jnp.asarray(_ABOVE, p.dtype)
    lever = jnp.einsum("pja,jk->pka", _parts(R, p, skeleton), above)
    arms = lever - (skeleton.weights @ above)[..., None] * p
    first = jnp.eye(3, dtype=R.dtype)[None]
    R_world_parent = jnp.concatenate([first, R[np.array(SMPL_PARENTS[1:])]])
    x, y, z = jnp.swapaxes(R_world_parent, 0, 1).reshape(3, -1)
    a, b, c = jnp.repeat(jnp.moveaxis(arms, -1, 0), 3, axis=2)
    return jnp.stack([y * c - z * b, z * a - x * c, x * b - y * a], axis=1)


def posed_points(
    rotmats: Float[np.ndarray, "*B 24 3 3"], root: Float[np.ndarray, "*B 3"], skeleton: Skeleton
) -> Float[np.ndarray, "*B P 3"]:
    """As `skeleton_points`, of many poses at once and without tracing."""
    R, p = skin.forward_kinematics(rotmats, skeleton.joints, root)
    origin = p - np.einsum("...jab,jb->...ja", R, skeleton.joints)
    blended = np.einsum("pj,...jab->...pab", skeleton.weights, R, optimize=True)
    return np.einsum("...pab,pb->...pa", blended, skeleton.points) + skeleton.weights @ origin


def _parts(
    R: Float[Array, "24 3 3"], p: Float[Array, "24 3"], skeleton: Skeleton
) -> Float[Array, "P 24 3"]:
    """Where each point would be if it belonged to one joint alone, times its weight there."""
    origin = p - jnp.einsum("jab,jb->ja", R, skeleton.joints)
    rigid = jnp.einsum("jab,pb->pja", R, skeleton.points) + origin
    return jnp.asarray(skeleton.weights)[..., None] * rigid


def _ancestors() -> np.ndarray:
    """above[j, k] = 1 if joint k is j or lies between j and the root."""
    above = np.eye(len(SMPL_PARENTS))
    for joint, parent in enumerate(SMPL_PARENTS[1:], start=1):
        above[joint] += above[parent]
    return above


_ABOVE = _ancestors()
