"""The skin of a posed body, in NumPy."""

import numpy as np
from jaxtyping import Float

from stages.body.model import BodyModel


def joint_transforms(
    model: BodyModel,
    betas: Float[np.ndarray, " 10"],
    local_rotmats: Float[np.ndarray, "24 3 3"],
) -> tuple[Float[np.ndarray, "24 3 3"], Float[np.ndarray, "24 3"], Float[np.ndarray, "24 3"]]:
    """Rotations, posed joints, resting joints; the same as the JAX kinematics without tracing."""
    rest = model.joint_template + model.joint_directions @ np.asarray(betas)
    rotations, positions = np.array(local_rotmats, dtype=np.float64), rest.astype(np.float64)
    for joint in range(1, len(rest)):
        parent = model.parents[joint]
        positions[joint] = positions[parent] + rotations[parent] @ (rest[joint] - rest[parent])
        rotations[joint] = rotations[parent] @ rotations[joint]
    return rotations, positions, rest


def posed_vertices(
    model: BodyModel,
    betas: Float[np.ndarray, " 10"],
    local_rotmats: Float[np.ndarray, "24 3 3"],
    root_m: Float[np.ndarray, " 3"] | None = None,
) -> Float[np.ndarray, "V 3"]:
    """All vertices by linear blend skinning; `root_m` as in `smpl45`."""
    rotations, joints, rest = joint_transforms(model, betas, local_rotmats)
    shaped = model.v_template + model.shapedirs @ np.asarray(betas)
    if model.has_pose_directions:
        feature = (np.asarray(local_rotmats)[1:] - np.eye(3)).reshape(-1)
        shaped = shaped + model.posedirs @ feature
    offsets = joints - np.einsum("jab,jb->ja", rotations, rest)
    blended = np.einsum("vj,jab->vab", model.weights, rotations, optimize=True)
    posed = np.einsum("vab,vb->va", blended, shaped) + model.weights @ offsets
    shift = 0.0 if root_m is None else np.asarray(root_m) - joints[0]
    return (posed + shift).astype(np.float32)
