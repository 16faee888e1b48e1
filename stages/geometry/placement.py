"""First guesses: where a person stands before each camera, and how large the world is."""

import numpy as np
from jaxtyping import Bool, Float

_ROUNDS = 12
_AGREEMENT = 0.05


def place_before_camera(
    offsets: Float[np.ndarray, "T K 3"],
    rays: Float[np.ndarray, "T K 3"],
    weights: Float[np.ndarray, "T K"],
    shortest_m: float = 0.3,
) -> Float[np.ndarray, "T 3"]:
    """Pelvis positions in the camera (m) that bring body points onto their viewing rays.

    For each frame the least-squares t of (t + offset) x ray = 0, which is the bone-length ratio
    of image and body with foreshortening accounted for, reweighted so that keypoints off by much
    more than the rest stop counting. Frames without weight get the nearest frame's.

    Args:
        offsets: body points relative to the pelvis, camera axes, metres.
        rays: viewing directions of their keypoints, z = 1.
        weights: confidence of the keypoints.
    """
    K = rays.shape[1]
    unit = rays / np.linalg.norm(rays, axis=-1, keepdims=True)
    # Across the ray: P = I - d d'; minimise sum w |P (t + x)|^2.
    across = np.eye(3) - unit[..., :, None] * unit[..., None, :]
    w = np.where(np.isfinite(weights), weights, 0.0)
    t = np.zeros((len(offsets), 3))
    for _ in range(_ROUNDS):
        A = np.einsum("tk,tkab->tab", w, across) + 1e-9 * np.eye(3)
        b = -np.einsum("tk,tkab,tkb->ta", w, across, offsets)
        t = np.linalg.solve(A, b[..., None])[..., 0]
        position = t[:, None] + offsets
        miss = np.linalg.norm(np.einsum("tkab,tkb->tka", across, position), axis=-1)
        known = weights > 0
        tolerance = np.maximum(2.0 * _medians(miss, known), 0.03)[:, None]
        w = weights / (1.0 + (miss / tolerance) ** 2) ** 2
    known_frames = (weights > 0).sum(axis=1) >= min(4, K)
    known_frames &= np.isfinite(t).all(axis=1) & (t[:, 2] > shortest_m)
    return _nearest_known(t, known_frames)


def _medians(
    values: Float[np.ndarray, "T K"], known: Bool[np.ndarray, "T K"]
) -> Float[np.ndarray, " T"]:
    """The median of each row's known values; 1 where a row has none."""
    ascending = np.sort(np.where(known, values, np.inf), axis=1)
    count = known.sum(axis=1)
    middle = np.stack([(count - 1) // 2, count // 2], axis=1).clip(0, known.shape[1] - 1)
    return np.where(count > 0, np.take_along_axis(ascending, middle, axis=1).mean(axis=1), 1.0)


def _nearest_known(values: np.ndarray, known: np.ndarray) -> np.ndarray:
    at = np.flatnonzero(known)
    if len(at) == 0:
        return np.tile([0.0, 0.0, 3.0], (len(values), 1))
    nearest = at[np.abs(np.arange(len(values))[:, None] - at[None]).argmin(axis=1)]
    return values[nearest]


def first_scale(
    metric: Float[np.ndarray, " N"],
    reconstructed: Float[np.ndarray, " N"],
    weights: Float[np.ndarray, " N"],
) -> float | None:
    """Metres per SfM unit from pairs of the same length in both; None without any pair.

    The ratio that most pairs agree on within some 5 %: wrong pairs, even most of them, do not
    count as long as they disagree with one another.
    """
    good = (weights > 0) & (metric > 0) & (reconstructed > 0)
    good &= np.isfinite(metric) & np.isfinite(reconstructed)
    if not good.any():
        return None
    ratios = np.log(metric[good] / reconstructed[good])
    candidates = ratios[np.linspace(0, len(ratios) - 1, min(len(ratios), 500)).astype(int)]
    apart = (ratios - candidates[:, None]) / _AGREEMENT
    best = candidates[int((weights[good] / (1.0 + apart**4)).sum(axis=1).argmax())]
    near = weights[good] / (1.0 + ((ratios - best) / _AGREEMENT) ** 4)
    return float(np.exp((near * ratios).sum() / near.sum()))
