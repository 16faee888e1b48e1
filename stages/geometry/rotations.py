"""Rotations as 3x3 matrices, rotation vectors and quaternions, batched over leading axes."""

import numpy as np
from jaxtyping import Float
from scipy.spatial.transform import Rotation, Slerp


def matrix_from_rotvec(rotvec: Float[np.ndarray, "*B 3"]) -> Float[np.ndarray, "*B 3 3"]:
    """Rotation matrices of rotation vectors (axis times angle, radians)."""
    flat = Rotation.from_rotvec(np.reshape(rotvec, (-1, 3))).as_matrix()
    return flat.reshape(*np.shape(rotvec)[:-1], 3, 3)


def rotvec_from_matrix(matrix: Float[np.ndarray, "*B 3 3"]) -> Float[np.ndarray, "*B 3"]:
    """Rotation vectors, with angles from 0 to pi, of rotation matrices."""
    flat = Rotation.from_matrix(np.reshape(matrix, (-1, 3, 3))).as_rotvec()
    return flat.reshape(*np.shape(matrix)[:-2], 3)


def wxyz_from_matrix(matrix: Float[np.ndarray, "*B 3 3"]) -> Float[np.ndarray, "*B 4"]:
    """Unit quaternions w, x, y, z with w >= 0."""
    xyzw = Rotation.from_matrix(np.reshape(matrix, (-1, 3, 3))).as_quat(canonical=True)
    return xyzw[:, [3, 0, 1, 2]].reshape(*np.shape(matrix)[:-2], 4)


def matrix_from_wxyz(wxyz: Float[np.ndarray, "*B 4"]) -> Float[np.ndarray, "*B 3 3"]:
    """Rotation matrices of quaternions w, x, y, z of any non-zero length."""
    xyzw = np.reshape(wxyz, (-1, 4))[:, [1, 2, 3, 0]]
    return Rotation.from_quat(xyzw).as_matrix().reshape(*np.shape(wxyz)[:-1], 3, 3)


def nearest_rotation(matrix: Float[np.ndarray, "*B 3 3"]) -> Float[np.ndarray, "*B 3 3"]:
    """The rotation nearest in the Frobenius norm (orthogonal Procrustes by SVD)."""
    u, _, vt = np.linalg.svd(matrix)
    sign = np.linalg.det(u @ vt)
    u[..., :, 2] *= sign[..., None]
    return u @ vt


def angle_between(
    a: Float[np.ndarray, "*B 3 3"], b: Float[np.ndarray, "*B 3 3"]
) -> Float[np.ndarray, "*B"]:
    """Angle in radians of the rotation that takes a to b."""
    return np.linalg.norm(rotvec_from_matrix(np.swapaxes(a, -1, -2) @ b), axis=-1)


def slerp(
    times: Float[np.ndarray, " T"],
    matrices: Float[np.ndarray, "T 3 3"],
    wanted: Float[np.ndarray, " N"],
) -> Float[np.ndarray, "N 3 3"]:
    """Rotations at other times along the shortest arcs; held constant outside the range."""
    if len(times) == 1:
        return np.repeat(matrices, len(wanted), axis=0)
    clipped = np.clip(wanted, times[0], times[-1])
    return Slerp(times, Rotation.from_matrix(matrices))(clipped).as_matrix()
