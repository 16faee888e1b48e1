"""The rotation between two sets of viewing rays, and the focal length that lets one explain it."""

import numpy as np
from jaxtyping import Bool, Float

from stages.geometry.rotations import nearest_rotation

TRIALS = 300
NEAR_PX = 3.0
"""At 512 px; hands that turn a camera also move it a little."""
FOCAL_SHARES = np.geomspace(0.45, 2.2, 81)
DOUBT = 1.15
CERTAIN = 1.4
"""The focal length is known if one off by `DOUBT` leaves so many times the squared error."""

Pixels = Float[np.ndarray, "N 2"]
Intrinsic = Float[np.ndarray, "3 3"]


def rays_of(pixels: Pixels, K: Intrinsic) -> Float[np.ndarray, "N 3"]:
    """Unit viewing directions in the camera."""
    rays = np.column_stack([(pixels - K[:2, 2]) / K[[0, 1], [0, 1]], np.ones(len(pixels))])
    return rays / np.linalg.norm(rays, axis=1, keepdims=True)


def robust_rotation(
    first: Float[np.ndarray, "N 3"], second: Float[np.ndarray, "N 3"], near_rad: float
) -> tuple[Float[np.ndarray, "3 3"], Bool[np.ndarray, " N"]]:
    """The rotation R with first = R second for most rays, and which ones these are.

    The best of random pairs of rays, then least squares on what is within `near_rad`.
    """
    rng = np.random.default_rng(0)
    a, b = rng.integers(len(first), size=(2, TRIALS))
    Rs = _frames(first[a], first[b]) @ np.swapaxes(_frames(second[a], second[b]), 1, 2)
    Rs = Rs[np.isfinite(Rs).all(axis=(1, 2))]
    if len(Rs) == 0:
        return np.eye(3), np.zeros(len(first), bool)
    off = np.linalg.norm(first - np.einsum("tab,nb->tna", Rs, second), axis=-1)
    R = Rs[np.minimum(off, near_rad).sum(axis=1).argmin()]
    near = np.zeros(len(first), bool)
    for _ in range(5):
        near = np.linalg.norm(first - second @ R.T, axis=1) < near_rad
        if near.sum() < 2:
            break
        R = nearest_rotation(first[near].T @ second[near])
    return R, near


def _frames(u: Float[np.ndarray, "T 3"], v: Float[np.ndarray, "T 3"]) -> np.ndarray:
    """Axes (in columns) that two rays span; not numbers where they are the same ray."""
    with np.errstate(invalid="ignore", divide="ignore"):
        across = np.cross(u, v)
        across /= np.linalg.norm(across, axis=1, keepdims=True)
    return np.stack([u, across, np.cross(u, across)], axis=-1)


def focal_from_turning(pairs: list[tuple[Pixels, Pixels]], size: tuple[int, int]) -> float | None:
    """Focal length (px) of a camera that turned between pairs of pictures; None if uncertain.

    With a wrong one no rotation explains what turns through the picture. The same point, in two
    pictures of height and width `size`, is in the same row of a pair.
    """
    if not pairs:
        return None
    focals = FOCAL_SHARES * max(size)
    costs = np.array([sum(_misfit(first, second, f, size) for first, second in pairs)
                      for f in focals])  # fmt: skip
    best = int(costs.argmin())
    step = round(np.log(DOUBT) / np.log(FOCAL_SHARES[1] / FOCAL_SHARES[0]))
    if not step <= best < len(focals) - step:
        return None
    if min(costs[best - step], costs[best + step]) < CERTAIN * costs[best]:
        return None
    # The lowest point of the parabola through the best and its neighbours.
    before, here, after = costs[best - 1 : best + 2]
    shift = 0.5 * (before - after) / max(before - 2 * here + after, 1e-12)
    return float(focals[best] * (FOCAL_SHARES[1] / FOCAL_SHARES[0]) ** shift)


def _misfit(first: Pixels, second: Pixels, focal_px: float, size: tuple[int, int]) -> float:
    """Sum of squared errors (px) of matches that the best rotation leaves, large ones capped."""
    K = np.array([[focal_px, 0, (size[1] - 1) / 2], [0, focal_px, (size[0] - 1) / 2], [0, 0, 1.0]])
    one, other = rays_of(first, K), rays_of(second, K)
    weights = np.ones(len(one))
    off = weights
    for _ in range(4):
        R = nearest_rotation((weights[:, None] * one).T @ other)
        moved = other @ R.T
        moved = moved[:, :2] / np.maximum(moved[:, 2:], 1e-3) * focal_px + K[:2, 2]
        off = np.linalg.norm(moved - first, axis=1)
        weights = 1 / (1 + (off / 2.0) ** 2)
    return float(np.minimum(off, 2 * NEAR_PX).__pow__(2).sum())
