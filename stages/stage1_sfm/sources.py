"""Which other frames a frame's depth is measured against, and in which range of depths."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from stages.stage1_sfm.registration import projected

SOURCES = 4
BEST_ANGLE_DEG = 4.0
"""Parallax that matches still survive; less measures depth less well."""
ANGLE_SPREAD = 0.7
"""Standard deviation of the preference, in logarithms of the angle."""
MAX_POINTS = 200
MIN_POINTS = 12


@dataclass(frozen=True)
class DepthTask:
    """One frame, the frames it is compared with, and the inverse depths that are tried."""

    frame: int
    sources: tuple[int, ...]
    nearest: float
    """Largest inverse depth."""
    farthest: float
    """Smallest inverse depth."""


def visible_points(
    points: Float[np.ndarray, "N 3"],
    T_camera_world: Float[np.ndarray, "4 4"],
    intrinsic: Float[np.ndarray, "3 3"],
    size: tuple[int, int],
) -> tuple[Float[np.ndarray, "n 3"], Float[np.ndarray, " n"]]:
    """The points inside an image of (height, width) and their depths."""
    pixels, depth = projected(points, T_camera_world, intrinsic)
    height, width = size
    inside = (depth > 1e-6) & (pixels > -0.5).all(1) & (pixels < [width - 0.5, height - 0.5]).all(1)
    return points[inside], depth[inside]


def inverse_depth_range(depths: Float[np.ndarray, " n"]) -> tuple[float, float]:
    """Nearest and farthest inverse depth to try, with room for what has no sparse points."""
    inverse = 1.0 / depths
    return 1.6 * float(np.percentile(inverse, 98)), 0.4 * float(np.percentile(inverse, 2))


def choose_sources(
    frame: int,
    points: Float[np.ndarray, "n 3"],
    Ts_camera_world: Float[np.ndarray, "T 4 4"],
    usable: list[int],
    intrinsic: Float[np.ndarray, "3 3"],
    size: tuple[int, int],
) -> tuple[int, ...]:
    """The frames that see the same points from usefully different places.

    Each choice lowers the worth of frames beside it and on the same side, so that what one source
    cannot see, behind an edge or beyond its border, another one does.

    Args:
        points: what the frame sees.
        usable: frames with a measured pose.
    """
    some = points[:: max(1, len(points) // MAX_POINTS)]
    centres = -np.einsum("tji,tj->ti", Ts_camera_world[:, :3, :3], Ts_camera_world[:, :3, 3])
    rays = some - centres[frame]
    rays /= np.linalg.norm(rays, axis=1, keepdims=True)
    others = [other for other in usable if other != frame]
    worth = np.zeros(len(others))
    for place, other in enumerate(others):
        theirs = some - centres[other]
        theirs /= np.linalg.norm(theirs, axis=1, keepdims=True)
        cosine = np.clip((rays * theirs).sum(1), -1, 1)
        angle = np.degrees(np.median(np.arccos(cosine)))
        if angle < 1e-3:
            continue
        seen = len(visible_points(some, Ts_camera_world[other], intrinsic, size)[0]) / len(some)
        worth[place] = seen * np.exp(-0.5 * (np.log(angle / BEST_ANGLE_DEG) / ANGLE_SPREAD) ** 2)
    baselines = centres[others] - centres[frame]
    lengths = np.maximum(np.linalg.norm(baselines, axis=1), 1e-12)
    directions = baselines / lengths[:, None]
    chosen: list[int] = []
    for _ in range(min(SOURCES, len(others))):
        place = int(np.argmax(worth))
        if worth[place] <= 0:
            break
        chosen.append(others[place])
        same_side = np.clip(directions @ directions[place], 0, 1)
        apart = np.linalg.norm(baselines - baselines[place], axis=1) / (0.3 * lengths[place])
        worth = worth * (1 - 0.5 * same_side) * (1 - np.exp(-0.5 * apart**2))
        worth[place] = 0
    return tuple(chosen)


def plan_depth(
    frame: int,
    points: Float[np.ndarray, "N 3"],
    Ts_camera_world: Float[np.ndarray, "T 4 4"],
    usable: list[int],
    intrinsic: Float[np.ndarray, "3 3"],
    size: tuple[int, int],
) -> DepthTask | None:
    """What to do for one frame, or None where it sees too few points of the map."""
    seen, depths = visible_points(points, Ts_camera_world[frame], intrinsic, size)
    if len(seen) < MIN_POINTS:
        return None
    sources = choose_sources(frame, seen, Ts_camera_world, usable, intrinsic, size)
    if not sources:
        return None
    nearest, farthest = inverse_depth_range(depths)
    return DepthTask(frame, sources, nearest, farthest)
