"""Which way is up, from the people and from what they stand on.

People's bodies point up on average; the surfaces under and around their feet are mostly level,
also on steps and boxes. The bodies say which surfaces can be level at all, the surfaces say it
exactly.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

LEVEL_CONE_DEG = 25.0
"""Surfaces steeper than this against the bodies' axis are not taken for level ones."""
CORE_DEG = 3.0
"""Width of the robust mean at its end; normals from depth maps scatter by a few degrees."""
MIN_SHARE = 0.02
"""Share of the surface patches that must agree before the surfaces outvote the bodies."""


@dataclass(frozen=True)
class Up:
    """An estimate of the direction against gravity."""

    direction: Float[np.ndarray, "3"]
    method: str
    agreement: float
    """Share of the surface patches near the people that are level within 3 degrees."""
    spread_deg: float
    """Median angle between those patches and the estimate."""


def body_up(
    pelvis: Float[np.ndarray, "T 3"], neck: Float[np.ndarray, "T 3"]
) -> Float[np.ndarray, "3"]:
    """Mean direction from pelvis to neck by the frames' median, unit length.

    Raises:
        ValueError: no frame.
    """
    if len(pelvis) == 0:
        raise ValueError("no frame shows a body")
    axes = neck - pelvis
    axes = axes / np.linalg.norm(axes, axis=1, keepdims=True)
    median = np.median(axes, axis=0)
    return median / np.linalg.norm(median)


def surface_normals(
    points: Float[np.ndarray, "H W 3"], valid: np.ndarray, step: int = 4
) -> tuple[Float[np.ndarray, "N 3"], Float[np.ndarray, "N 3"]]:
    """Places and unit normals of small surface patches of a point map, of either sign.

    Args:
        valid: (H, W) pixels whose points hold.
        step: half the size of a patch in pixels.

    Returns:
        The patches' centres and normals.
    """
    h, w = valid.shape
    ys, xs = np.mgrid[step : h - step : step, step : w - step : step]
    ys, xs = ys.ravel(), xs.ravel()
    corners = [(ys, xs - step), (ys, xs + step), (ys - step, xs), (ys + step, xs), (ys, xs)]
    holds = np.all([valid[y, x] for y, x in corners], axis=0)
    ys, xs = ys[holds], xs[holds]
    left, right = points[ys, xs - step], points[ys, xs + step]
    above, below = points[ys - step, xs], points[ys + step, xs]
    normals = np.cross(right - left, below - above)
    length = np.linalg.norm(normals, axis=1)
    centre = points[ys, xs]
    # A patch across an edge bends: its centre lies off the middle of its ends.
    size = np.linalg.norm(right - left, axis=1) + np.linalg.norm(below - above, axis=1)
    bend = np.linalg.norm(left + right - 2 * centre, axis=1)
    bend += np.linalg.norm(above + below - 2 * centre, axis=1)
    flat = (length > 0) & (bend < 0.1 * size)
    return centre[flat], normals[flat] / length[flat, None]


def level_direction(normals: Float[np.ndarray, "N 3"], prior: Float[np.ndarray, "3"]) -> Up:
    """The direction that most normals near the prior share.

    Args:
        normals: unit normals of surface patches, of either sign.
        prior: the bodies' mean axis, unit length.
    """
    method = "people's bodies alone: too few surfaces near them are level"
    if len(normals) == 0:
        return Up(prior, method, 0.0, 0.0)
    upward = normals * np.sign(normals @ prior + 1e-12)[:, None]
    near = upward[upward @ prior > np.cos(np.radians(LEVEL_CONE_DEG))]
    if len(near) < max(50, MIN_SHARE * len(normals)):
        return Up(prior, method, 0.0, 0.0)
    up = _densest(near)
    # A shrinking window finds the common direction whatever lies around it.
    for width_deg in (10.0, 6.0, CORE_DEG, CORE_DEG, CORE_DEG):
        weight = np.exp(-0.5 * (_angles_deg(near, up) / (width_deg / 2)) ** 2)
        up = (weight[:, None] * near).sum(0)
        up /= np.linalg.norm(up)
    angles = _angles_deg(near, up)
    level = angles < CORE_DEG
    agreement = float(level.sum() / len(normals))
    if agreement < MIN_SHARE:
        return Up(prior, method, agreement, 0.0)
    return Up(up, "level surfaces around the people", agreement, float(np.median(angles[level])))


def _angles_deg(normals: Float[np.ndarray, "N 3"], up: Float[np.ndarray, "3"]) -> np.ndarray:
    # The cross product keeps small angles exact where the cosine is flat.
    return np.degrees(np.arctan2(np.linalg.norm(np.cross(normals, up), axis=1), normals @ up))


def _densest(normals: Float[np.ndarray, "N 3"]) -> Float[np.ndarray, "3"]:
    """The one of up to 300 evenly picked normals with most others within 4 degrees."""
    picked = normals[:: max(1, len(normals) // 300)]
    others = normals[:: max(1, len(normals) // 5000)]
    counts = (picked @ others.T > np.cos(np.radians(4.0))).sum(1)
    return picked[np.argmax(counts)]
