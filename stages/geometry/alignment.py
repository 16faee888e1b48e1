"""Similarity and rigid alignment of point sets (Umeyama 1991)."""

import numpy as np
from jaxtyping import Float


def align(
    source: Float[np.ndarray, "N 3"], target: Float[np.ndarray, "N 3"], with_scale: bool = True
) -> tuple[float, Float[np.ndarray, "3 3"], Float[np.ndarray, "3"]]:
    """The least-squares s, R, t with target = s R source + t.

    Args:
        with_scale: False keeps s = 1.
    """
    mean_source, mean_target = source.mean(0), target.mean(0)
    a, b = source - mean_source, target - mean_target
    u, singular, vt = np.linalg.svd(b.T @ a / len(source))
    sign = np.ones(3)
    sign[2] = np.sign(np.linalg.det(u @ vt))
    R = (u * sign) @ vt
    variance = (a**2).sum() / len(source)
    scale = float((singular * sign).sum() / variance) if with_scale and variance > 0 else 1.0
    return scale, R, mean_target - scale * R @ mean_source
