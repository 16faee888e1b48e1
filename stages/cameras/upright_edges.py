"""Which way is up, by long straight edges of the place: of walls, doors and poles most are upright.

An edge and the camera's centre lie in a plane. The planes of upright edges all hold the up
direction, so it is where most of them meet, near to where up is guessed to be.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Bool, Float, UInt8

SHORTEST_SHARE = 0.06
"""Of the picture's shorter side: direction and place of shorter segments are not known."""
PEOPLE_MARGIN_PX = 4
AGREE_DEG = 1.0
"""How far a segment's plane may miss the direction, one sigma."""
GUESS_DEG = 25.0
"""How far up may be from a guess; other directions that edges share are of slopes and of floors."""
LEAST_SHARE, LEAST_EDGES = 0.15, 8.0
"""Of all segments' length, and edges in a picture, that must agree: what happens by chance, and
few parallel stripes that are not upright, stay below."""
LOOSEST_DEG = 1.5
"""Deviation of the direction, at most: edges parallel in the picture leave its pitch open."""
_DIRECTIONS = 4000
_ROUNDS = 10


@dataclass(frozen=True)
class Edges:
    """Segments of one picture: unit normals of their planes in the world, and lengths over the
    picture's shorter side."""

    normals: Float[np.ndarray, "n 3"]
    lengths: Float[np.ndarray, " n"]


@dataclass(frozen=True)
class Upright:
    """direction: unit, in the world. share: of all segments' length that agrees. spread_deg: median
    angle between the direction and the planes of those that do."""

    direction: Float[np.ndarray, "3"]
    share: float
    spread_deg: float


def edges_of(
    grey: UInt8[np.ndarray, "H W"],
    K: Float[np.ndarray, "3 3"],
    R_world_camera: Float[np.ndarray, "3 3"],
    people: Bool[np.ndarray, "H W"],
) -> Edges:
    """Long straight edges of a picture, without those of people."""
    found = cv2.createLineSegmentDetector().detect(grey)[0]
    ends = np.zeros((0, 2, 2)) if found is None else found.reshape(-1, 2, 2).astype(np.float64)
    lengths = np.linalg.norm(ends[:, 1] - ends[:, 0], axis=1) / min(grey.shape)
    last = np.array(grey.shape[::-1]) - 1
    columns, rows = np.clip(ends.mean(axis=1).round().astype(int), 0, last).T
    size = 2 * PEOPLE_MARGIN_PX + 1
    near = cv2.dilate(people.astype(np.uint8), np.ones((size, size), np.uint8)) > 0
    keep = (lengths > SHORTEST_SHARE) & ~near[rows, columns]
    rays = np.concatenate([ends[keep], np.ones((keep.sum(), 2, 1))], axis=2) @ np.linalg.inv(K).T
    normals = np.cross(rays[:, 0], rays[:, 1]) @ R_world_camera.T
    return Edges(normals / np.linalg.norm(normals, axis=1, keepdims=True), lengths[keep])


def mean_up(Rs_world_camera: Float[np.ndarray, "n 3 3"]) -> Float[np.ndarray, "3"]:
    """The cameras' mean up direction, unit length: people hold them about upright."""
    up = -Rs_world_camera[:, :, 1].mean(axis=0)
    return up / np.linalg.norm(up)


def upright(pictures: list[Edges], guesses: Float[np.ndarray, "g 3"]) -> Upright | None:
    """The direction near a guess in which most edges meet; None if no direction is clear.

    Args:
        pictures: edges of some, which may show the same ones.
        guesses: unit directions; one of them has to be about right.
    """
    normals = np.concatenate([each.normals for each in pictures])
    lengths = np.concatenate([each.lengths for each in pictures])
    if not len(normals):
        return None
    near = np.concatenate([_around(guess) for guess in guesses])
    up = near[(_agreement(normals, near) * lengths[:, None]).sum(axis=0).argmax()]
    for _ in range(_ROUNDS):
        weights = _agreement(normals, up[None])[:, 0] * lengths
        _, axes = np.linalg.eigh((normals * weights[:, None]).T @ normals)
        up = axes[:, 0] * np.sign(axes[:, 0] @ up)
    agreement = _agreement(normals, up[None])[:, 0]
    share = float((agreement * lengths).sum() / lengths.sum())
    edges = agreement.sum() / len(pictures)
    # The same edges in many pictures say no more than in one.
    spread = np.linalg.eigvalsh((normals * agreement[:, None]).T @ normals / len(pictures))[1]
    loose = AGREE_DEG / np.sqrt(max(spread, 1e-9))
    inside = (guesses @ up).max() > np.cos(np.radians(GUESS_DEG))
    if share < LEAST_SHARE or edges < LEAST_EDGES or loose > LOOSEST_DEG or not inside:
        return None
    angles = _angles_deg(normals, up[None])[:, 0]
    return Upright(up, share, float(np.median(angles[angles < AGREE_DEG])))


def _around(axis: Float[np.ndarray, "3"]) -> Float[np.ndarray, "n 3"]:
    """Directions within `GUESS_DEG` of an axis, evenly spread (a spiral on the sphere)."""
    number = np.arange(_DIRECTIONS) + 0.5
    z = 1 - (1 - np.cos(np.radians(GUESS_DEG))) * number / _DIRECTIONS
    turn = np.pi * (1 + np.sqrt(5)) * number
    radius = np.sqrt(1 - z**2)
    side = np.cross(axis, np.eye(3)[np.abs(axis).argmin()])
    side /= np.linalg.norm(side)
    frame = np.stack([side, np.cross(axis, side), axis])
    return np.stack([radius * np.cos(turn), radius * np.sin(turn), z], axis=1) @ frame


def _angles_deg(
    normals: Float[np.ndarray, "n 3"], directions: Float[np.ndarray, "d 3"]
) -> Float[np.ndarray, "n d"]:
    return np.degrees(np.arcsin(np.clip(np.abs(normals @ directions.T), 0, 1)))


def _agreement(normals: np.ndarray, directions: np.ndarray) -> Float[np.ndarray, "n d"]:
    return np.exp(-0.5 * (_angles_deg(normals, directions) / AGREE_DEG) ** 2)
