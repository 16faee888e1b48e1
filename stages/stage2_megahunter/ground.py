"""The ground around a foot: a local plane through static points near it in the image."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float

MIN_POINTS = 12
_TRIALS = 48
_MOST_POINTS = 300
_MAX_TILT_DEG = 40.0
_THICKNESS = 0.006  # of the distance to the camera


class GroundPatch(NamedTuple):
    """A point on the ground and its normal, up along the body; weight 0 where there is none."""

    point: Float[np.ndarray, "3"]
    normal: Float[np.ndarray, "3"]
    weight: float


NO_GROUND = GroundPatch(np.zeros(3), np.array([0.0, 0.0, 1.0]), 0.0)


def ground_near(
    depth: Float[np.ndarray, "H W"],
    static: Bool[np.ndarray, "H W"],
    intrinsic: Float[np.ndarray, "3 3"],
    foot: Float[np.ndarray, "2"],
    radius_px: float,
    body_up: Float[np.ndarray, "3"],
    seed: int = 0,
) -> GroundPatch:
    """Plane under a foot, in camera axes and the depth's units.

    Among planes through three random points of the window, those tilted less than 40 degrees
    against the body's up direction compete for points near the foot; the winner is refined by
    weighted least squares. Steps and box edges in the window thus lose against the tread.

    Args:
        depth: z-depth.
        static: pixels that show the place and have depth.
        intrinsic: K at the depth's resolution.
        foot: pixel of the foot.
        radius_px: half the window's width; nearness is counted in halves of it.
        body_up: from the feet to the head, in camera axes.
        seed: of the random planes.
    """
    pixels, weights = _window(static, foot, radius_px)
    if len(pixels) < MIN_POINTS:
        return NO_GROUND
    rng = np.random.default_rng(seed)
    if len(pixels) > _MOST_POINTS:
        chosen = rng.choice(len(pixels), _MOST_POINTS, replace=False)
        pixels, weights = pixels[chosen], weights[chosen]
    z = depth[pixels[:, 1], pixels[:, 0]].astype(np.float64)
    rays = np.concatenate([pixels, np.ones((len(pixels), 1))], axis=1) @ np.linalg.inv(intrinsic).T
    points = rays * z[:, None]
    thickness = _THICKNESS * np.median(z)

    triples = points[rng.integers(len(points), size=(_TRIALS, 3))]
    normals = np.cross(triples[:, 1] - triples[:, 0], triples[:, 2] - triples[:, 0])
    lengths = np.linalg.norm(normals, axis=1)
    normals = normals / np.maximum(lengths, 1e-12)[:, None]
    normals *= np.sign(normals @ body_up + 1e-12)[:, None]
    upright = (normals @ body_up > np.cos(np.deg2rad(_MAX_TILT_DEG))) & (lengths > 1e-12)
    if not upright.any():
        return NO_GROUND
    offsets = points @ normals.T - np.einsum("tc,tc->t", triples[:, 0], normals)
    votes = (weights[:, None] * np.exp(-0.5 * (offsets / thickness) ** 2)).sum(axis=0)
    best = int(np.argmax(np.where(upright, votes, -1.0)))
    return _refined(points, weights, offsets[:, best], normals[best], thickness)


def _window(
    static: np.ndarray, foot: np.ndarray, radius_px: float
) -> tuple[np.ndarray, np.ndarray]:
    """Static pixels (N, 2: x, y) around the foot and a weight that falls with distance."""
    height, width = static.shape
    low = np.maximum(np.floor(foot - radius_px), 0).astype(int)
    high = np.minimum(np.ceil(foot + radius_px) + 1, [width, height]).astype(int)
    if not np.isfinite(foot).all() or (low >= high).any():
        return np.zeros((0, 2), int), np.zeros(0)
    y, x = np.nonzero(static[low[1] : high[1], low[0] : high[0]])
    pixels = np.stack([x + low[0], y + low[1]], axis=1)
    distance2 = ((pixels - foot) ** 2).sum(axis=1)
    return pixels, np.exp(-0.5 * distance2 / (0.5 * radius_px) ** 2)


def _refined(
    points: np.ndarray,
    weights: np.ndarray,
    offsets: np.ndarray,
    normal: np.ndarray,
    thickness: float,
) -> GroundPatch:
    up = normal
    inlying = weights * np.exp(-0.5 * (offsets / thickness) ** 2)
    for _ in range(3):
        total = inlying.sum()
        centre = (inlying[:, None] * points).sum(axis=0) / total
        spread = (inlying[:, None, None] * _outer(points - centre)).sum(axis=0) / total
        normal = np.linalg.eigh(spread)[1][:, 0]
        normal = normal * np.sign(normal @ up + 1e-12)
        offsets = (points - centre) @ normal
        inlying = weights * np.exp(-0.5 * (offsets / thickness) ** 2)
    share = float(inlying.sum() / weights.sum())
    return GroundPatch(centre, normal, share if share > 0.2 else 0.0)


def _outer(v: np.ndarray) -> np.ndarray:
    return v[:, :, None] * v[:, None, :]
