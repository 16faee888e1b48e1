"""The ground around a foot: a local plane through static points near it in the image."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float

MIN_POINTS = 12
_TRIALS = 48
_MOST_POINTS = 300
_USUAL_TILT_DEG = 12.0  # of level ground against a walking person's mean up direction
_MAX_TILT_DEG = 40.0
_THICKNESS = 0.006  # of the distance to the camera


class GroundPatch(NamedTuple):
    """A point on the ground and its normal, up along the body; weight 0 where there is none."""

    point: Float[np.ndarray, "3"]
    normal: Float[np.ndarray, "3"]
    weight: float


NO_GROUND = GroundPatch(np.zeros(3), np.array([0.0, 0.0, 1.0]), 0.0)
CANDIDATES = 3
_APART = 0.04  # of the distance: planes closer to each other than this are one
_FEWEST_VOTES = 0.1  # of the window's weight


def grounds_near(
    depth: Float[np.ndarray, "H W"],
    static: Bool[np.ndarray, "H W"],
    intrinsic: Float[np.ndarray, "3 3"],
    foot: Float[np.ndarray, "2"],
    radius_px: float,
    body_up: Float[np.ndarray, "3"],
    seed: int = 0,
) -> list[GroundPatch]:
    """Up to three planes that may be under a foot, in camera axes and the depth's units.

    Planes through three random points of the window compete for points near the foot, the more
    level ones with more weight (tilts against the body's up direction of over 40 degrees are out);
    winners are refined by weighted least squares. Walls and box fronts are left out by their tilt;
    where steps or a box's edge offer several levels, which one is meant shows only later, from
    where the person is.

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
        return []
    rng = np.random.default_rng(seed)
    if len(pixels) > _MOST_POINTS:
        chosen = rng.choice(len(pixels), _MOST_POINTS, replace=False)
        pixels, weights = pixels[chosen], weights[chosen]
    z = depth[pixels[:, 1], pixels[:, 0]].astype(np.float64)
    inverse = np.linalg.inv(intrinsic)
    rays = np.concatenate([pixels, np.ones((len(pixels), 1))], axis=1) @ inverse.T
    points = rays * z[:, None]
    thickness = _THICKNESS * np.median(z)

    triples = points[rng.integers(len(points), size=(_TRIALS, 3))]
    normals = np.cross(triples[:, 1] - triples[:, 0], triples[:, 2] - triples[:, 0])
    lengths = np.linalg.norm(normals, axis=1)
    normals = normals / np.maximum(lengths, 1e-12)[:, None]
    normals *= np.sign(normals @ body_up + 1e-12)[:, None]
    tilt_deg = np.rad2deg(np.arccos(np.clip(normals @ body_up, -1.0, 1.0)))
    upright = np.exp(-0.5 * (tilt_deg / _USUAL_TILT_DEG) ** 2)
    upright *= (tilt_deg < _MAX_TILT_DEG) & (lengths > 1e-12)
    heights = np.einsum("tc,tc->t", triples[:, 0], normals)
    likeness = np.exp(-0.5 * ((points @ normals.T - heights) / thickness) ** 2) * upright
    at_foot = heights / np.minimum(normals @ (inverse @ np.append(foot, 1.0)), -1e-6)
    return _best(points, weights, normals, likeness, at_foot, thickness)


def _best(
    points: np.ndarray,
    weights: np.ndarray,
    normals: np.ndarray,
    likeness: np.ndarray,
    at_foot: np.ndarray,
    thickness: float,
) -> list[GroundPatch]:
    """The planes with most votes, one after another, that meet the foot's viewing ray at depths of
    their own; points that voted for a plane have no second vote.
    """
    found: list[GroundPatch] = []
    left = weights.copy()
    open_ = np.ones(len(normals), bool)
    while len(found) < CANDIDATES:
        votes = (left @ likeness) * open_
        best = int(votes.argmax())
        if votes[best] <= _FEWEST_VOTES * weights.sum():
            break
        inlying = left * likeness[:, best]
        found.append(_refined(points, left, weights.sum(), inlying, normals[best], thickness))
        offsets = (points - found[-1].point) @ found[-1].normal
        left = left * (np.abs(offsets) > 3.0 * thickness)
        open_ &= np.abs(at_foot - at_foot[best]) > _APART * abs(at_foot[best])
    return [patch for patch in found if patch.weight > 0]


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
    all_weight: float,
    inlying: np.ndarray,
    normal: np.ndarray,
    thickness: float,
) -> GroundPatch:
    up = normal
    for _ in range(3):
        total = inlying.sum()
        centre = (inlying[:, None] * points).sum(axis=0) / total
        spread = (inlying[:, None, None] * _outer(points - centre)).sum(axis=0) / total
        normal = np.linalg.eigh(spread)[1][:, 0]
        normal = normal * np.sign(normal @ up + 1e-12)
        inlying = weights * np.exp(-0.5 * ((points - centre) @ normal / thickness) ** 2)
    share = float(inlying.sum() / all_weight)
    return GroundPatch(centre, normal, share if share > _FEWEST_VOTES else 0.0)


def _outer(v: np.ndarray) -> np.ndarray:
    return v[:, :, None] * v[:, None, :]
