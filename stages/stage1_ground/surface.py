"""The assumed place: a plane, and flat pieces above it, as a camera at the origin sees them."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Float32
from scipy.spatial import ConvexHull

from stages.stage1_ground.footholds import Foothold
from stages.stage1_ground.levels import Levels

LOWEST_PIECE_M = 0.07
PIECE_SHORTEST_S = 0.15
TOGETHER_M = 0.7
"""Footholds of one level so near to each other are on one piece."""
MARGIN_M = 0.15
SEAT_MARGIN_M = 0.2
FARTHEST_M = 30.0
ASSUMED = 0.1
"""Confidence where nobody stood near: the plane goes on, but what stands there is not known."""
NEAR_M = 1.5


@dataclass(frozen=True)
class Piece:
    """A raised flat piece: all x with normals . x <= offsets_m; the first side is the top."""

    height_m: float
    normals: Float[np.ndarray, "S 3"]
    offsets_m: Float[np.ndarray, " S"]
    corners_m: Float[np.ndarray, "C 3"]


@dataclass(frozen=True)
class Surface:
    """The ground up . x = -camera_height_m, the pieces on it, and places where somebody stood."""

    up: Float[np.ndarray, "3"]
    camera_height_m: float
    pieces: list[Piece]
    stood_m: Float[np.ndarray, "N 3"]

    def seen(
        self, K: Float[np.ndarray, "3 3"], R_world_camera: Float[np.ndarray, "3 3"], height: int,
        width: int,
    ) -> tuple[Float32[np.ndarray, "H W"], Float32[np.ndarray, "H W"]]:  # fmt: skip
        """z-depth, 0 where there is nothing within `FARTHEST_M`, and confidence."""
        x, y = np.meshgrid(np.arange(width), np.arange(height))
        rays = np.stack([(x - K[0, 2]) / K[0, 0], (y - K[1, 2]) / K[1, 1], np.ones(x.shape)], -1)
        rays = rays @ R_world_camera.T
        down = -rays @ self.up
        depth = np.full(x.shape, np.inf)
        np.divide(self.camera_height_m, down, out=depth, where=down > 1e-6)
        for piece in self.pieces:
            depth = np.minimum(depth, _entered(rays, piece))
        known = depth <= FARTHEST_M
        depth = np.where(known, depth, 0.0)
        points = (rays * depth[..., None])[known].astype(np.float32)
        nearest = np.full(len(points), np.inf, np.float32)
        for place in self.stood_m.astype(np.float32):
            nearest = np.minimum(nearest, ((points - place) ** 2).sum(axis=1))
        confidence = np.zeros(x.shape, np.float32)
        confidence[known] = ASSUMED + (1 - ASSUMED) * np.exp(-0.5 * nearest / NEAR_M**2)
        return depth.astype(np.float32), confidence


def _entered(rays: Float[np.ndarray, "H W 3"], piece: Piece) -> Float[np.ndarray, "H W"]:
    """Where rays from the origin enter a convex piece; infinity if they pass it by."""
    towards = piece.corners_m / np.linalg.norm(piece.corners_m, axis=1, keepdims=True)
    middle = towards.mean(axis=0)
    nearly = rays @ middle >= (towards @ middle).min() * np.linalg.norm(rays, axis=-1)
    speed = rays[nearly] @ piece.normals.T
    with np.errstate(divide="ignore", invalid="ignore"):
        at = piece.offsets_m / speed
    enter = np.where(speed < 0, at, -np.inf).max(axis=-1)
    leave = np.where(speed > 0, at, np.inf).min(axis=-1)
    depth = np.full(nearly.shape, np.inf)
    depth[nearly] = np.where((enter > 0) & (enter < leave), enter, np.inf)
    return depth


def surface_of(footholds: list[Foothold], levels: Levels) -> Surface:
    """The plane of the ground level and a piece for every group of footholds above it."""
    up, ground_m = levels.up, float(levels.offsets_m[levels.ground])
    pieces = []
    for level in range(levels.ground + 1, len(levels.offsets_m)):
        height_m = float(levels.offsets_m[level]) - ground_m
        own = [footholds[row] for row in np.flatnonzero(levels.level_of == level)]
        for group in _groups(own):
            seconds = sum(each.seconds for each in group)
            if height_m > LOWEST_PIECE_M and seconds >= PIECE_SHORTEST_S:
                pieces.append(_piece(group, up, ground_m, height_m))
    stood = np.array([each.points_m.mean(axis=0) for each in footholds])
    return Surface(up, -ground_m, pieces, stood)


def _groups(footholds: list[Foothold]) -> list[list[Foothold]]:
    """Those that are near to each other, also by way of others."""
    groups: list[list[Foothold]] = []
    for each in footholds:
        near = [group for group in groups if any(_near(each, other) for other in group)]
        groups = [group for group in groups if group not in near]
        groups.append([each, *(one for group in near for one in group)])
    return groups


def _near(one: Foothold, other: Foothold) -> bool:
    apart = one.points_m.mean(axis=0) - other.points_m.mean(axis=0)
    return float(np.linalg.norm(apart)) < TOGETHER_M


def _piece(group: list[Foothold], up: np.ndarray, ground_m: float, height_m: float) -> Piece:
    """The upright prism around the group's points with a margin."""
    side = np.cross(up, np.eye(3)[np.abs(up).argmin()])
    side /= np.linalg.norm(side)
    axes = np.stack([side, np.cross(up, side)])
    angles = np.linspace(0, 2 * np.pi, 8, endpoint=False)
    circle = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    margins = [SEAT_MARGIN_M if each.is_seat else MARGIN_M for each in group]
    outline = np.concatenate([
        ((each.points_m @ axes.T)[:, None] + margin * circle).reshape(-1, 2)
        for each, margin in zip(group, margins, strict=True)
    ])  # fmt: skip
    hull = ConvexHull(outline)
    normals = np.vstack([up, hull.equations[:, :2] @ axes, -up])
    top_m = ground_m + height_m
    offsets = np.concatenate([[top_m], -hull.equations[:, 2], [-ground_m]])
    flat = outline[hull.vertices] @ axes
    corners = np.concatenate([flat + top_m * up, flat + ground_m * up])
    return Piece(height_m, normals, offsets, corners)
