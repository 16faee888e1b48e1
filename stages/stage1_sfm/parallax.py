"""How much parallax pairs of images have: which pair a map begins with, and whether any can."""

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import pycolmap
from jaxtyping import Float

MIN_MATCHES = 50
COUNTED_SHARE = 0.03
"""Parallax counts up to this share of the long side: beyond, it may well be a wrong match."""


@dataclass(frozen=True)
class PairParallax:
    """One pair of images and what a homography leaves unexplained in its matches."""

    first: int
    second: int
    matches: int
    residual_px: float
    """The residual that one match in ten exceeds."""
    total_px: float
    """Sum over the matches, each capped: much parallax on many matches."""


def homography_residuals(
    first_px: Float[np.ndarray, "N 2"], second_px: Float[np.ndarray, "N 2"], max_error_px: float
) -> Float[np.ndarray, " N"]:
    """Distances of matches from the homography that most of them follow.

    A camera that only turns, or one that sees a single plane, moves all matches by a homography;
    so does one that stands still. What remains is parallax.
    """
    H, _ = cv2.findHomography(first_px, second_px, cv2.RANSAC, max_error_px, maxIters=500)
    if H is None:
        return np.zeros(len(first_px))
    moved = cv2.perspectiveTransform(first_px[None], H)[0]
    return np.linalg.norm(moved - second_px, axis=1)


def measure_pairs(database: Path, long_side_px: int, max_error_px: float) -> list[PairParallax]:
    """The verified pairs of a database, most parallax first."""
    cv2.setRNGSeed(0)
    found = []
    with pycolmap.Database.open(database) as opened:
        keypoints = {
            image.image_id: opened.read_keypoints(image.image_id)[:, :2].astype(np.float64)
            for image in opened.read_all_images()
        }
        for pair, geometry in zip(*opened.read_two_view_geometries(), strict=True):
            first, second = pycolmap.pair_id_to_image_pair(pair)
            matches = np.asarray(geometry.inlier_matches)
            if len(matches) < MIN_MATCHES:
                continue
            residuals = homography_residuals(
                keypoints[first][matches[:, 0]], keypoints[second][matches[:, 1]], max_error_px
            )
            found.append(
                PairParallax(
                    first,
                    second,
                    len(matches),
                    float(np.percentile(residuals, 90)),
                    float(np.minimum(residuals, COUNTED_SHARE * long_side_px).sum()),
                )
            )
    return sorted(found, key=lambda pair: (-pair.total_px, pair.first, pair.second))
