"""Forward kinematics of SMPL bodies in JAX; pure, differentiable, fit for `vmap`.

Formulas: Loper et al., SMPL (2015). Rotations are matrices; the first is the root's.
"""

import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array, Float

from stages.body.joint_names import SMPL_PARENTS
from stages.body.model import BodyModel


def forward_kinematics(
    local_rotmats: Float[Array, "24 3 3"],
    joints_rest: Float[Array, "24 3"],
    root_m: Float[Array, " 3"],
) -> tuple[Float[Array, "24 3 3"], Float[Array, "24 3"]]:
    """Rotations and positions of all joints, in the frame that `local_rotmats[0]` leads to.

    That is the world, if it is R_world_root; the pelvis joint is put at `root_m` there.

    Pointer doubling: in each of four rounds every joint composes the transform up to some
    ancestor with that ancestor's own, which reaches the root from any depth up to 16. One small
    loop compiles several times faster than a level of the tree at a time.
    """
    bones = jnp.concatenate([root_m[None], joints_rest[1:] - joints_rest[_PARENTS]])
    local = jnp.concatenate([local_rotmats, bones[..., None]], axis=-1)
    nothing = jnp.eye(3, 4, dtype=local.dtype)[None]

    def climb(transforms, ancestor):
        upper = jnp.concatenate([transforms, nothing])[ancestor]
        moved = upper[..., :3] @ transforms
        return moved.at[..., 3].add(upper[..., 3]), None

    transforms, _ = lax.scan(climb, local, jnp.asarray(_ANCESTORS))
    return transforms[..., :3], transforms[..., 3]


def _ancestors() -> np.ndarray:
    """For each of four rounds the ancestor that each joint composes with; 24 for none."""
    up = np.array([24, *_PARENTS, 24])
    rounds = []
    for _ in range(4):
        rounds.append(up[:24].copy())
        up = np.append(up[up[:24]], 24)
    return np.array(rounds, np.int32)


# Of 32 bits, so that they are the same indices whether or not JAX counts in 64.
_PARENTS = np.array(SMPL_PARENTS[1:], np.int32)
_ANCESTORS = _ancestors()


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
    rest = jnp.asarray(model.rest_joints(betas))
    rotations, joints = forward_kinematics(
        local_rotmats, rest, rest[0] if root_m is None else root_m
    )
    picks = model.extra_vertices
    shaped = jnp.asarray(model.v_template[picks]) + jnp.asarray(model.shapedirs[picks]) @ betas
    if model.has_pose_directions:
        feature = (local_rotmats[1:] - jnp.eye(3)).reshape(-1)
        shaped = shaped + jnp.asarray(model.posedirs[picks]) @ feature
    weights = jnp.asarray(model.weights[picks])
    offsets = joints - jnp.einsum("jab,jb->ja", rotations, rest)
    turned = jnp.einsum("vj,jab,vb->va", weights, rotations, shaped)
    return jnp.concatenate([joints, turned + weights @ offsets])
