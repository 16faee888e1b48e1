"""A joint regressor: joint centres as sparse non-negative mixtures of nearby skin vertices."""

import numpy as np
from jaxtyping import Float, Int
from scipy.optimize import nnls

from stages.body.joint_names import SMPL24_MIRROR
from tools.body.shapes import ShapeSpace


def _mixture(space: ShapeSpace, joint: int, nearby: int, offset_weight: float = 1e-3) -> np.ndarray:
    """Weights over all vertices whose mixture follows the joint in the mean and every direction.

    The sum-to-one condition is one heavy row. The light rows of distances choose, among the
    mixtures that fit, one of vertices close to the joint.
    """
    distance = np.linalg.norm(space.v_template - space.joints[joint], axis=1)
    chosen = np.argsort(distance)[:nearby]
    parts = [(space.v_template[chosen] - space.joints[joint]).T]
    wanted = [np.zeros(3)]
    for k in range(space.shapedirs.shape[-1]):
        parts.append(space.shapedirs[chosen, :, k].T)
        wanted.append(space.joint_directions[joint, :, k])
    parts += [100.0 * np.ones((1, len(chosen))), offset_weight * distance[chosen][None]]
    wanted += [np.array([100.0]), np.zeros(1)]
    weights, _ = nnls(np.concatenate(parts), np.concatenate(wanted))
    full = np.zeros(len(distance))
    full[chosen] = weights / weights.sum()
    return full


def joint_regressor(
    space: ShapeSpace, mirror: Int[np.ndarray, " V"], nearby: int = 700
) -> Float[np.ndarray, "24 V"]:
    """SMPL's J_regressor for the space: rows sum to one, left and right are mirror images."""
    regressor = np.zeros((24, len(space.v_template)))
    for joint, other in enumerate(SMPL24_MIRROR):
        if other < joint:
            regressor[joint] = regressor[other][mirror]
        else:
            row = _mixture(space, joint, nearby)
            regressor[joint] = 0.5 * (row + row[mirror]) if other == joint else row
    return regressor
