"""Joints and skin of posed bodies in NumPy; see `kinematics` for JAX."""

import numpy as np
from jaxtyping import Float

from stages.body.joint_names import SMPL_PARENTS
from stages.body.model import BodyModel


def forward_kinematics(
    local_rotmats: Float[np.ndarray, "*B 24 3 3"],
    joints_rest: Float[np.ndarray, "24 3"],
    root_m: Float[np.ndarray, "*B 3"],
) -> tuple[Float[np.ndarray, "*B 24 3 3"], Float[np.ndarray, "*B 24 3"]]:
    """As `kinematics.forward_kinematics`, of many poses at once and without tracing."""
    R = np.array(local_rotmats, np.float64)
    p = np.empty(R.shape[:-1])
    p[..., 0, :] = root_m
    for joint, parent in enumerate(SMPL_PARENTS[1:], start=1):
        p[..., joint, :] = p[..., parent, :] + R[..., parent, :, :] @ (
            joints_rest[joint] - joints_rest[parent]
        )
        R[..., joint, :, :] = R[..., parent, :, :] @ R[..., joint, :, :]
    return R, p


def posed_vertices(
    model: BodyModel,
    betas: Float[np.ndarray, " 10"],
    local_rotmats: Float[np.ndarray, "24 3 3"],
    root_m: Float[np.ndarray, " 3"] | None = None,
) -> Float[np.ndarray, "V 3"]:
    """All vertices by linear blend skinning; `root_m` as in `smpl45`."""
    rest = model.rest_joints(np.asarray(betas))
    rotations, joints = forward_kinematics(
        local_rotmats, rest, rest[0] if root_m is None else root_m
    )
    shaped = model.v_template + model.shapedirs @ np.asarray(betas)
    if model.has_pose_directions:
        feature = (np.asarray(local_rotmats)[1:] - np.eye(3)).reshape(-1)
        shaped = shaped + model.posedirs @ feature
    offsets = joints - np.einsum("jab,jb->ja", rotations, rest)
    blended = np.einsum("vj,jab->vab", model.weights, rotations, optimize=True)
    posed = np.einsum("vab,vb->va", blended, shaped) + model.weights @ offsets
    return posed.astype(np.float32)
