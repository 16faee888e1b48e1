"""Forward kinematics of SMPL bodies in JAX; pure, differentiable, fit for `vmap`.

Formulas: Loper et al., SMPL (2015). Rotations are matrices; the first is the root's.
"""

from collections.abc import Sequence

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from stages.body.model import BodyModel


def rest_joints(model: BodyModel, betas: Float[Array, " 10"]) -> Float[Array, "24 3"]:
    """Joint centres of a shape in the zero pose, in the model's own frame, metres."""
    return jnp.asarray(model.joint_template) + jnp.asarray(model.joint_directions) @ betas


def _levels(parents: Sequence[int]) -> list[list[int]]:
    depth = [0] * len(parents)
    for joint, parent in enumerate(parents):
        depth[joint] = 0 if parent < 0 else depth[parent] + 1
    return [[j for j, d in enumerate(depth) if d == level] for level in range(max(depth) + 1)]


def forward_kinematics(
    local_rotmats: Float[Array, "24 3 3"],
    joints_rest: Float[Array, "24 3"],
    parents: Sequence[int] | np.ndarray,
) -> tuple[Float[Array, "24 3 3"], Float[Array, "24 3"]]:
    """Rotations and positions of all joints.

    `local_rotmats[0]` turns the body as a whole. The root joint stays at `joints_rest[0]`, as
    in SMPL without a translation; both results are in the frame that `local_rotmats[0]` leads
    to (the world, if it is R_world_root), up to that translation. `parents` must be known at
    trace time: joints of one depth are computed together.
    """
    tree = [int(p) for p in parents]
    levels = _levels(tree)
    rotations, positions = local_rotmats[jnp.array(levels[0])], joints_rest[jnp.array(levels[0])]
    done = list(levels[0])
    for level in levels[1:]:
        above = np.array([done.index(tree[j]) for j in level])
        here, mothers = np.array(level), np.array([tree[j] for j in level])
        turned = rotations[above]
        offsets = joints_rest[here] - joints_rest[mothers]
        moved = positions[above] + jnp.einsum("kij,kj->ki", turned, offsets)
        rotations = jnp.concatenate([rotations, turned @ local_rotmats[here]])
        positions = jnp.concatenate([positions, moved])
        done += level
    back = np.argsort(done)
    return rotations[back], positions[back]


def smpl45(
    model: BodyModel,
    betas: Float[Array, " 10"],
    local_rotmats: Float[Array, "24 3 3"],
    root_m: Float[Array, " 3"] | None = None,
) -> Float[Array, "45 3"]:
    """The 24 joints and 21 picked vertices of SMPL-45.

    With `root_m` the pelvis joint is put there (the contract's `root_transl`); without it, the
    body is where SMPL has it for a zero translation.
    """
    rest = rest_joints(model, betas)
    rotations, joints = forward_kinematics(local_rotmats, rest, model.parents)
    picks = model.extra_vertices
    shaped = jnp.asarray(model.v_template[picks]) + jnp.asarray(model.shapedirs[picks]) @ betas
    if model.has_pose_directions:
        feature = (local_rotmats[1:] - jnp.eye(3)).reshape(-1)
        shaped = shaped + jnp.asarray(model.posedirs[picks]) @ feature
    weights = jnp.asarray(model.weights[picks])
    offsets = joints - jnp.einsum("jab,jb->ja", rotations, rest)
    turned = jnp.einsum("vj,jab,vb->va", weights, rotations, shaped)
    both = jnp.concatenate([joints, turned + weights @ offsets])
    return both if root_m is None else both - joints[0] + root_m
