"""The ground's plane and the levels above it, from where people's feet rest."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from stages.geometry.rotations import matrix_from_rotvec
from stages.stage1_ground.footholds import Foothold

LEVELS_APART_M = 0.07
"""Heights with such a gap between them are different levels."""
FOOTHOLD_M = 0.025
"""How far footholds of one level scatter, at least; people's distance is known to some per cent."""
FIRST_GAPS_M = (LEVELS_APART_M, 0.2, np.inf)
LEVEL_COST = 4.0
"""Of one more level; as much as a tilt of twice `UPRIGHT_DEG`."""
UPRIGHT_DEG = 3.0
"""How far the mean of people's bodies is from upright."""
EDGES_DEG = 1.0
"""How far upright edges of the place are; a focal length that is assumed turns them a little."""
GROUND_SHARE = 0.1
"""Of all time on feet: so much the lowest level must have, or it is a mistake."""
_ROUNDS = 8


@dataclass(frozen=True)
class Levels:
    """Level planes: up . x = offset in the world, whose origin is the camera.

    level_of: of each foothold. offsets_m, by level, from the lowest up. ground: the level that is
    the ground.
    """

    up: Float[np.ndarray, "3"]
    level_of: Int[np.ndarray, " N"]
    offsets_m: Float[np.ndarray, " L"]
    ground: int
    scatter_m: float
    """Median distance of footholds from their levels."""
    cost: float
    """Less the logarithm of the likelihood, twice: the lower the better."""


def fit_levels(
    footholds: list[Foothold], up: Float[np.ndarray, "3"], sigma_deg: float = UPRIGHT_DEG
) -> Levels:
    """Parallel planes through the footholds, near to level by people's own up direction.

    Weighted least squares over the common normal, with `up` as prior, robust (Cauchy), in
    turn with the levels: sorted by height, they end where a gap is. A wrong up direction makes
    many levels of one, so gaps of several sizes are tried first, and the likeliest result counts.

    Args:
        footholds: one at least; seats take no part, but have levels of their own.
        sigma_deg: how far `up` may be from upright.
    """
    found = []
    for gap_m in FIRST_GAPS_M:
        tilted = _fitted(footholds, up, up, sigma_deg, gap_m)
        found.append(_fitted(footholds, tilted, up, sigma_deg, LEVELS_APART_M))
    levels = [_levels(footholds, each, up, sigma_deg) for each in found]
    return min(levels, key=lambda each: each.cost)


def _fitted(
    footholds: list[Foothold],
    up: np.ndarray,
    upright: np.ndarray,
    sigma_deg: float,
    gap_m: float,
) -> Float[np.ndarray, "3"]:
    """The normal of levels that gaps of `gap_m` are between, from a first guess `up` on."""
    feet = np.array([not each.is_seat for each in footholds])
    seconds = np.array([each.seconds for each in footholds])
    for _ in range(_ROUNDS):
        points = np.array([lowest(each, up) for each in footholds])
        heights = points @ up
        level_of = _split(heights, gap_m)
        off = heights - _centres(heights, seconds, level_of)[level_of]
        sigma = max(FOOTHOLD_M, 1.5 * float(np.median(np.abs(off[feet]))))
        weights = seconds * feet / (1 + (off / (2 * sigma)) ** 2) / sigma**2
        middles = np.array([each.middle_m for each in footholds])
        up = _tilted(points, middles, level_of, weights, up, upright, sigma_deg)
    return up


def _levels(
    footholds: list[Foothold], up: np.ndarray, upright: np.ndarray, sigma_deg: float
) -> Levels:
    feet = np.array([not each.is_seat for each in footholds])
    seconds = np.array([each.seconds for each in footholds])
    heights = np.array([lowest(each, up) @ up for each in footholds])
    level_of = _split(heights, LEVELS_APART_M)
    offsets = _centres(heights, seconds, level_of)
    off = heights - offsets[level_of]
    spent = np.bincount(level_of, seconds * feet, len(offsets))
    ground = _lowest_used(level_of, seconds * feet)
    tilt_deg = np.degrees(np.arccos(np.clip(up @ upright, -1, 1)))
    cost = (tilt_deg / sigma_deg) ** 2 + LEVEL_COST * np.count_nonzero(spent)
    cost += 4 * (seconds * feet * np.log1p((off / (2 * FOOTHOLD_M)) ** 2)).sum()
    return Levels(up, level_of, offsets, ground, float(np.median(np.abs(off))), float(cost))


def levels_of_person(
    footholds: list[Foothold], up: Float[np.ndarray, "3"], person: int
) -> Float[np.ndarray, " L"]:
    """Heights of the levels that somebody's feet spend time on, from the lowest up."""
    own = [each for each in footholds if each.person == person and not each.is_seat]
    if not own:
        return np.zeros(0)
    heights = np.array([lowest(each, up) for each in own]) @ up
    seconds = np.array([each.seconds for each in own])
    level_of = _split(heights, LEVELS_APART_M)
    return _centres(heights, seconds, level_of)[_lowest_used(level_of, seconds) :]


def lowest(foothold: Foothold, up: Float[np.ndarray, "3"]) -> Float[np.ndarray, "3"]:
    """The point that carries."""
    return foothold.points_m[(foothold.points_m @ up).argmin()]


def _split(heights: Float[np.ndarray, " N"], gap_m: float) -> Int[np.ndarray, " N"]:
    order = np.argsort(heights, kind="stable")
    level_of = np.empty(len(heights), int)
    steps = np.diff(heights[order], prepend=heights[order[:1]]) > gap_m
    level_of[order] = np.cumsum(steps)
    return level_of


def _lowest_used(level_of: np.ndarray, seconds: np.ndarray) -> int:
    spent = np.bincount(level_of, seconds)
    return int(np.argmax(spent >= min(GROUND_SHARE * spent.sum(), spent.max())))


def _centres(heights: np.ndarray, seconds: np.ndarray, level_of: np.ndarray) -> np.ndarray:
    """The height in the middle of the time spent on each level."""
    centres = np.zeros(level_of.max() + 1)
    for level in range(len(centres)):
        rows = np.flatnonzero(level_of == level)
        rows = rows[np.argsort(heights[rows])]
        done = np.cumsum(seconds[rows]) / seconds[rows].sum()
        centres[level] = heights[rows[int(np.searchsorted(done, 0.5))]]
    return centres


def _tilted(
    points: np.ndarray,
    middles: np.ndarray,
    level_of: np.ndarray,
    weights: np.ndarray,
    up: np.ndarray,
    upright: np.ndarray,
    sigma_deg: float,
) -> np.ndarray:
    """`up` after one step on its two tilts, the levels' offsets solved along.

    Heights may not go with where people are. With where their feet are they may: in depth a foot
    is as wrong as the pose is, and the left one as wrong as the right one the other way (the middle
    between the feet is an instrument, as in the method of instrumental variables).
    """
    side = np.cross(up, np.eye(3)[np.abs(up).argmin()])
    side /= np.linalg.norm(side)
    tilts = np.stack([side, np.cross(up, side)])
    # Turning up by the vector w changes a height by (w x up) . p.
    J, Z = points @ np.cross(tilts, up).T, middles @ np.cross(tilts, up).T
    r = points @ up
    for level in range(level_of.max() + 1):
        own = level_of == level
        share = weights[own] / max(weights[own].sum(), 1e-12)
        for each in (J, Z, r):
            each[own] -= share @ each[own]
    prior = np.cross(up, upright) @ tilts.T
    information = 1 / np.radians(sigma_deg) ** 2
    A = (Z * weights[:, None]).T @ J + information * np.eye(2)
    b = -(Z * weights[:, None]).T @ r + information * prior
    return matrix_from_rotvec(np.linalg.solve(A, b) @ tilts) @ up
