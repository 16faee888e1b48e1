"""How a camera on one spot turned, by the background; key frames keep it from drifting."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import cv2
import numpy as np
from jaxtyping import Bool, Float, UInt8

from stages.geometry.rotations import angle_between, slerp
from stages.running import VideoError
from stages.stage1_ground.matching import Features, find_features, match
from stages.stage1_ground.turning import (
    NEAR_PX,
    focal_from_turning,
    rays_of,
    robust_rotation,
)

STILL_PX = 0.7
"""Of 512: what the background shifts by, at most, before a camera that stands."""
FEWEST_MATCHES = 30
KEY_APART_DEG = 8.0
MOVED_PX = 4.0
"""Of 512: more than most of the background is off, whatever the rotation, by a camera that moves;
one that is held by hand sways by some centimetres."""
MOVED_SHARE = 0.2
FOCAL_PAIR_DEG = 5.0

GreyAndBackground = tuple[UInt8[np.ndarray, "H W"], Bool[np.ndarray, "H W"]]


@dataclass
class Turns:
    """What was found of T frames.

    R_world_camera: the first camera's axes are the world's. known: False where it is interpolated.
    focal_px: None where it does not show. stands: it never turns; all rotations are the identity.
    """

    R_world_camera: Float[np.ndarray, "T 3 3"]
    known: Bool[np.ndarray, " T"]
    focal_px: float | None
    stands: bool


@dataclass
class _Key:
    frame: int
    features: Features
    R_world_camera: np.ndarray


@dataclass
class _Follower:
    """Key frames so far, and what their matches say."""

    K: np.ndarray
    keys: list[_Key] = field(default_factory=list)
    off_px: list[float] = field(default_factory=list)
    """Median of what the best rotation leaves of the matches, by frame."""

    def rotation(self, features: Features, last: np.ndarray) -> np.ndarray | None:
        """R_world_camera of one more frame, None where it has too few matches.

        Args:
            last: that of the frame before.
        """
        focal = self.K[0, 0]
        nearest = sorted(self.keys, key=lambda key: _apart_deg(key.R_world_camera, last))[:2]
        worlds, owns = [np.zeros((0, 3))], [np.zeros((0, 3))]
        for key in nearest:
            theirs, own = match(key.features, features)
            worlds.append(rays_of(theirs, self.K) @ key.R_world_camera.T)
            owns.append(rays_of(own, self.K))
        world, own = np.concatenate(worlds), np.concatenate(owns)
        if len(world) < FEWEST_MATCHES:
            return None
        R, near = robust_rotation(world, own, NEAR_PX / focal)
        self.off_px.append(float(np.median(np.linalg.norm(world - own @ R.T, axis=1)) * focal))
        return R if near.sum() >= FEWEST_MATCHES / 2 else None


def follow_turns(
    frames: Iterable[GreyAndBackground], K_of: Callable[[float | None], np.ndarray]
) -> Turns:
    """The rotation of every frame, from greys and what of them is not people.

    Args:
        K_of: intrinsics by the focal length (px); by the assumed one for None.

    Raises:
        VideoError: the camera moves, or the background has too little texture.
    """
    features: list[Features] = []
    size = (0, 0)
    for grey, background in frames:
        size = grey.shape
        features.append(find_features(grey, background))
    unit = max(size) / 512
    if _stands(features, STILL_PX * unit):
        T = len(features)
        return Turns(np.tile(np.eye(3), (T, 1, 1)), np.ones(T, bool), None, True)
    Rs, known, keys = _followed(features, K_of(None), MOVED_PX * unit)
    focal_px = focal_from_turning(_wide_pairs(keys), size)
    if focal_px is not None:
        Rs, known, _ = _followed(features, K_of(focal_px), MOVED_PX * unit)
    return Turns(Rs, known, focal_px, False)


def _stands(features: list[Features], still_px: float) -> bool:
    """Whether the background is where it was in the first frame, in all frames that show it."""
    shifts = []
    for each in features[1:]:
        there, here = match(features[0], each)
        if len(there) >= FEWEST_MATCHES:
            shifts.append(float(np.median(np.linalg.norm(there - here, axis=1))))
    return len(shifts) >= 0.5 * (len(features) - 1) and max(shifts, default=0.0) <= still_px


def _followed(
    features: list[Features], K: np.ndarray, moved_px: float
) -> tuple[np.ndarray, np.ndarray, list[_Key]]:
    follower = _Follower(K, [_Key(0, features[0], np.eye(3))])
    Rs = [np.eye(3)]
    known = [True]
    for frame, each in enumerate(features[1:], 1):
        R = follower.rotation(each, Rs[-1])
        if R is None and known[-1] and follower.keys[-1].frame != frame - 1:
            # What the key frames show is gone: the frame before becomes one.
            follower.keys.append(_Key(frame - 1, features[frame - 1], Rs[-1]))
            R = follower.rotation(each, Rs[-1])
        known.append(R is not None)
        Rs.append(Rs[-1] if R is None else R)
        apart = min(_apart_deg(key.R_world_camera, Rs[-1]) for key in follower.keys)
        if R is not None and apart > KEY_APART_DEG:
            follower.keys.append(_Key(frame, each, R))
    _require_one_spot(follower.off_px, sum(known), len(features), moved_px)
    return _between(np.array(Rs), np.array(known)), np.array(known), follower.keys


def _require_one_spot(off_px: list[float], known: int, frames: int, moved_px: float) -> None:
    if off_px and np.mean(np.array(off_px) > moved_px) > MOVED_SHARE:
        raise VideoError("the camera moves: use the world method sfm")
    if known < 0.5 * frames:
        raise VideoError(
            f"the background shows how the camera turns in {known} of {frames} frames only: too "
            "little texture outside people, or a camera that moves (then use the world method sfm)"
        )


def _wide_pairs(keys: list[_Key]) -> list[tuple[np.ndarray, np.ndarray]]:
    """Matches of pairs of key frames, those that one homography explains."""
    cv2.setRNGSeed(0)
    pairs = []
    for place, later in enumerate(keys):
        for key in keys[max(0, place - 3) : place]:
            if _apart_deg(key.R_world_camera, later.R_world_camera) < FOCAL_PAIR_DEG:
                continue
            first, second = match(key.features, later.features)
            if len(first) < FEWEST_MATCHES:
                continue
            _, inside = cv2.findHomography(first, second, cv2.RANSAC, NEAR_PX)
            kept = inside[:, 0] > 0 if inside is not None else np.zeros(len(first), bool)
            if kept.sum() >= FEWEST_MATCHES:
                pairs.append((first[kept], second[kept]))
    return pairs


def _between(Rs: np.ndarray, known: np.ndarray) -> np.ndarray:
    at = np.flatnonzero(known).astype(float)
    frames = np.clip(np.arange(len(Rs)), at[0], at[-1])
    return np.where(known[:, None, None], Rs, slerp(at, Rs[known], frames)) if len(at) > 1 else Rs


def _apart_deg(R: np.ndarray, other: np.ndarray) -> float:
    return float(np.degrees(angle_between(R, other)))
