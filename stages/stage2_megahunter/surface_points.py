"""Where keypoints lie on the reconstructed surface, and how far that is to be trusted."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float

NEIGHBOURS = 5
_GAUSSIAN = np.exp(-0.5 * np.array([-1.0, 0.0, 1.0]) ** 2)


class SurfacePoints(NamedTuple):
    """Depth of the surface at keypoints, and a trust from 0 to 1."""

    depths: Float[np.ndarray, " K"]
    trust: Float[np.ndarray, " K"]


def sample_depths(
    depth: Float[np.ndarray, "H W"],
    usable: Bool[np.ndarray, "H W"],
    pixels: Float[np.ndarray, "K 2"],
    gradient_thr: float,
) -> SurfacePoints:
    """Depth at keypoints, smoothed by a 3x3 Gaussian (sigma 1 px) and sampled bilinearly.

    Holes and pixels that are not the person's take no part. Trust falls with the depth's gradient
    as a share of the depth, a pixel, smoothed bilaterally (3x3, both sigmas 1); above
    `gradient_thr` it is 0: there the keypoint sits on an edge.
    """
    height, width = depth.shape
    finite = np.isfinite(pixels).all(axis=1)
    pixels = np.where(finite[:, None], pixels, 0.0)
    inside = finite & (pixels >= 0).all(axis=1) & (pixels <= [width - 1, height - 1]).all(axis=1)
    corner = np.floor(np.clip(pixels, 0, [width - 1, height - 1])).astype(int)
    fraction = pixels - corner

    taps_x = _bilinear_gaussian(fraction[:, 0])
    taps_y = _bilinear_gaussian(fraction[:, 1])
    patch, patch_usable = _patches(depth, usable, corner, range(-1, 3))
    weights = taps_y[:, :, None] * taps_x[:, None, :] * patch_usable
    total = weights.sum(axis=(1, 2))
    smooth = (weights * patch).sum(axis=(1, 2)) / np.maximum(total, 1e-9)

    gradient = _smoothed_gradient(depth, usable, np.rint(np.where(inside[:, None], pixels, 0)))
    trust = np.where(gradient > gradient_thr, 0.0, 1.0 - gradient)
    trusted = inside & (total > 0.1) & (smooth > 0)
    return SurfacePoints(
        np.where(trusted, smooth, 0.0), np.where(trusted, np.clip(trust, 0.0, 1.0), 0.0)
    )


def without_outliers(
    points: Float[np.ndarray, "K 3"], trust: Float[np.ndarray, " K"]
) -> Float[np.ndarray, " K"]:
    """Trust with outliers at 0: points whose mean distance to their 5 nearest is more than half a
    standard deviation above the average, among those trusted at all.
    """
    chosen = np.flatnonzero(trust > 0)
    if len(chosen) <= NEIGHBOURS:
        return trust
    gaps = np.linalg.norm(points[chosen, None] - points[None, chosen], axis=-1)
    nearest = np.sort(gaps, axis=1)[:, 1 : NEIGHBOURS + 1].mean(axis=1)
    far = nearest >= nearest.mean() + 0.5 * nearest.std()
    kept = trust.copy()
    kept[chosen[far]] = 0.0
    return kept


def inside_own_mask(
    ids: np.ndarray, person: int, pixels_original: Float[np.ndarray, "K 2"]
) -> Bool[np.ndarray, " K"]:
    """Whether keypoints, in pixels of the original image, fall on the person's own mask."""
    height, width = ids.shape
    finite = np.isfinite(pixels_original).all(axis=1)
    nearest = np.rint(np.where(finite[:, None], pixels_original, -1.0)).astype(int)
    x, y = nearest[:, 0], nearest[:, 1]
    inside = finite & (x >= 0) & (y >= 0) & (x < width) & (y < height)
    return inside & (ids[np.clip(y, 0, height - 1), np.clip(x, 0, width - 1)] == person)


def _bilinear_gaussian(fraction: Float[np.ndarray, " K"]) -> Float[np.ndarray, "K 4"]:
    """Taps of a 3-tap Gaussian followed by linear interpolation, at offsets -1..2."""
    taps = np.zeros((len(fraction), 4))
    taps[:, :3] += (1 - fraction[:, None]) * _GAUSSIAN
    taps[:, 1:] += fraction[:, None] * _GAUSSIAN
    return taps / _GAUSSIAN.sum()


def _patches(
    depth: np.ndarray, usable: np.ndarray, centre: np.ndarray, offsets: range
) -> tuple[np.ndarray, np.ndarray]:
    """Depths and validity (K, n, n) around centres (K, 2: x, y); outside the image invalid."""
    height, width = depth.shape
    steps = np.array(offsets)
    rows = centre[:, 1, None, None] + steps[None, :, None]
    columns = centre[:, 0, None, None] + steps[None, None, :]
    inside = (rows >= 0) & (rows < height) & (columns >= 0) & (columns < width)
    rows, columns = np.clip(rows, 0, height - 1), np.clip(columns, 0, width - 1)
    good = inside & usable[rows, columns]
    return np.where(good, depth[rows, columns], 0.0), good


def _smoothed_gradient(
    depth: np.ndarray, usable: np.ndarray, centre: Float[np.ndarray, "K 2"]
) -> Float[np.ndarray, " K"]:
    patch, good = _patches(depth, usable, centre.astype(int), range(-2, 3))
    middle = patch[:, 1:-1, 1:-1]

    def slope(ahead: slice, behind: slice, along: int) -> np.ndarray:
        index = {
            1: lambda s: (slice(None), s, slice(1, -1)),
            2: lambda s: (slice(None), slice(1, -1), s),
        }
        a, b = index[along](ahead), index[along](behind)
        both = good[a] & good[b]
        return np.where(both, 0.5 * (patch[a] - patch[b]), 0.0)

    ahead, behind = slice(2, None), slice(None, -2)
    gradient = np.hypot(slope(ahead, behind, 1), slope(ahead, behind, 2))
    gradient = gradient / np.maximum(middle, 1e-6)
    near = good[:, 1:-1, 1:-1]
    space = np.exp(-0.5 * np.add.outer(np.array([1, 0, 1]), np.array([1, 0, 1])))
    likeness = np.exp(-0.5 * (gradient - gradient[:, 1:2, 1:2]) ** 2)
    weights = space * likeness * near
    return (weights * gradient).sum(axis=(1, 2)) / np.maximum(weights.sum(axis=(1, 2)), 1e-9)
