"""Joints and sole vertices of a motion, computed here apart from the code that made it."""

from dataclasses import dataclass

import numpy as np

from tools.footage.scenes import sample_terrain

KINDS = ("jump_box", "stairs", "flat")
ANKLES, TOES = (7, 8), (10, 11)
SOLE_M = 0.03  # above the lowest vertex at rest


def terrain_for(seed):
    """A terrain of a kind that goes round with the seed."""
    kind = KINDS[seed % 3]
    return sample_terrain(kind, np.random.default_rng([seed, seed % 3]))


@dataclass(frozen=True)
class Posed:
    joints_m: np.ndarray  # (T, 24, 3)
    R_world_joint: np.ndarray  # (T, 24, 3, 3)
    feet_m: tuple  # vertices of the left and the right sole and its sides, (T, n, 3)


def pose(motion, model) -> Posed:
    betas = np.asarray(motion.betas)
    shaped = np.asarray(model.v_template) + np.asarray(model.shapedirs) @ betas
    rest = np.asarray(model.J_regressor) @ shaped
    R, p = np.empty_like(motion.local_rotmats), np.empty((len(motion), 24, 3))
    for joint, parent in enumerate(np.asarray(model.parents)):
        if parent < 0:
            R[:, joint], p[:, joint] = motion.local_rotmats[:, joint], motion.root_m
        else:
            R[:, joint] = R[:, parent] @ motion.local_rotmats[:, joint]
            p[:, joint] = p[:, parent] + R[:, parent] @ (rest[joint] - rest[parent])
    weights = np.asarray(model.weights)
    feet = []
    for ankle, toe in zip(ANKLES, TOES, strict=True):
        foot = np.flatnonzero(weights[:, ankle] + weights[:, toe] > 0.5)
        height = shaped[foot, 1] - shaped[foot, 1].min()
        foot = foot[height < SOLE_M][::2]
        moved = np.einsum("tjab,jvb->tjva", R, shaped[foot] - rest[:, None]) + p[:, :, None]
        feet.append(np.einsum("vj,tjva->tva", weights[foot], moved))
    return Posed(p, R, tuple(feet))


def depth_below_surface(points_m, terrain):
    """How deep points are inside the floor or a block: the way to its nearest face, metres."""
    depth = -points_m[..., 2]
    for block in terrain.blocks:
        inside = [block.half_length_m, block.half_width_m] - np.abs(
            block.local_xy(points_m[..., :2])
        )
        to_face = np.minimum(inside.min(-1), block.top_m - points_m[..., 2])
        depth = np.maximum(depth, to_face)
    return depth
