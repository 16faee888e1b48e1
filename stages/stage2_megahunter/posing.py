"""Marks of whole trajectories in NumPy, for first guesses and checks."""

import numpy as np
from jaxtyping import Float

from stages.stage2_megahunter.marks import (
    JOINT_MARKS,
    KEYPOINT_JOINTS,
    KEYPOINTS,
    PARENTS,
    Skeleton,
)


def posed_marks(
    rotmats: Float[np.ndarray, "T 24 3 3"], root: Float[np.ndarray, "T 3"], skeleton: Skeleton
) -> tuple[Float[np.ndarray, "T 18 3"], Float[np.ndarray, "T 4 3"]]:
    """Keypoints and soles as `marks.place_marks` gives them, over all frames at once."""
    R, p = joint_poses(rotmats, root, skeleton.joints)
    origin = p - np.einsum("tjab,jb->tja", R, skeleton.joints)
    blended = np.einsum("vj,tjab->tvab", skeleton.vertex_weights, R, optimize=True)
    vertices = np.einsum("tvab,vb->tva", blended, skeleton.vertices)
    vertices += np.einsum("vj,tja->tva", skeleton.vertex_weights, origin)
    feet = KEYPOINTS - JOINT_MARKS
    keypoints = np.concatenate([p[:, KEYPOINT_JOINTS], vertices[:, :feet]], axis=1)
    return keypoints, vertices[:, feet:]


def joint_poses(
    rotmats: Float[np.ndarray, "T 24 3 3"],
    root: Float[np.ndarray, "T 3"],
    joints: Float[np.ndarray, "24 3"],
) -> tuple[Float[np.ndarray, "T 24 3 3"], Float[np.ndarray, "T 24 3"]]:
    """Rotations to the world and positions of the 24 joints."""
    R = np.array(rotmats, np.float64)
    p = np.empty((*R.shape[:2], 3))
    p[:, 0] = root
    for joint in range(1, len(PARENTS)):
        parent = PARENTS[joint]
        p[:, joint] = p[:, parent] + R[:, parent] @ (joints[joint] - joints[parent])
        R[:, joint] = R[:, parent] @ R[:, joint]
    return R, p
