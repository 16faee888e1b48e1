"""People of a stage-2 file as joints, before and after levelling."""

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float32

from stages.artifacts.people_and_world import PersonMotion
from stages.body.kinematics import smpl45
from stages.body.model import BodyModel


def joints_of(body: BodyModel, motion: PersonMotion) -> Float32[np.ndarray, "T 45 3"]:
    """SMPL-45 joints of every frame in the motion's world, metres."""
    if not motion.frames:
        return np.zeros((0, 45, 3), np.float32)
    local = np.concatenate([motion.R_world_root[:, None], motion.body_pose], axis=1)
    joints = jax.jit(jax.vmap(lambda betas, rotmats, root: smpl45(body, betas, rotmats, root)))
    arrays = (motion.betas, local, motion.root_transl)
    return np.asarray(joints(*(jnp.asarray(array) for array in arrays)), np.float32)


def rotated(motion: PersonMotion, R_new_old: Float32[np.ndarray, "3 3"]) -> PersonMotion:
    """The motion in a world turned by a rotation about the origin."""
    return replace(
        motion,
        R_world_root=(R_new_old @ motion.R_world_root).astype(np.float32),
        root_transl=(motion.root_transl @ R_new_old.T).astype(np.float32),
    )
