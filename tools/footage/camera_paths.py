"""Camera paths of somebody who films a person with a phone: walking along, standing, or turning.

A path is drawn at random until the person stays in view, large enough and little hidden by boxes,
and the camera keeps clear of walls, boxes and people.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float

from tools.footage import raycast
from tools.footage.batches import CameraBatch
from tools.footage.scenes import Scene

CAMERAS = ("walks", "stands", "turns")
"""Along with the person or around them; on a tripod; on one spot, turning after the person."""
_TRIES = 400
_MARGIN = 0.02  # of the image's size, kept free around people
_FRAME_SHARES = (0.36, 0.93)  # a person's height over the image's, over the whole clip
_HIDDEN_SHARE = 0.04
_HIDDEN_STEPS_SHARE = 0.1
_CLEARANCE_M = 0.45


@dataclass(frozen=True)
class CameraPath:
    """One camera over T frames: `K` in pixels, `T_world_camera` camera to world, metres."""

    K: Float[np.ndarray, "3 3"]
    T_world_camera: Float[np.ndarray, "T 4 4"]

    def batch(self) -> CameraBatch:
        K = torch.as_tensor(self.K, dtype=torch.float32)
        T = torch.as_tensor(self.T_world_camera, dtype=torch.float32)
        return CameraBatch(K.repeat(len(T), 1, 1), T)


def sample_path(
    rng: np.random.Generator,
    scene: Scene,
    times_s: Float[np.ndarray, " T"],
    people_m: Float[np.ndarray, "P T J 3"],
    width: int,
    height: int,
    camera: str = "walks",
) -> CameraPath:
    """A path from which all of `people_m` (joints from head to feet, world) are in view.

    Most of the steps' tops are in sight too, as nothing can be measured where nothing is seen.
    Falls back to the best path of its tries when none is free of flaws.
    """
    best, best_flaw = None, np.inf
    for _ in range(_TRIES):
        path = _propose(rng, times_s, people_m, width, height, camera)
        flaw = _flaw(path, scene, people_m, width, height)
        if flaw < best_flaw:
            best, best_flaw = path, flaw
        if flaw == 0:
            break
    assert best is not None
    return best


def look_at(
    position_m: Float[np.ndarray, "*n 3"], target_m: Float[np.ndarray, "*n 3"], roll_rad=0.0
) -> Float[np.ndarray, "*n 4 4"]:
    """Camera-to-world transforms of level cameras that look at targets, then rolled."""
    forward = target_m - position_m
    forward = forward / np.linalg.norm(forward, axis=-1, keepdims=True)
    right = np.cross(forward, [0.0, 0.0, 1.0])
    right /= np.linalg.norm(right, axis=-1, keepdims=True)
    down = np.cross(forward, right)
    cos, sin = np.cos(roll_rad)[..., None], np.sin(roll_rad)[..., None]
    T = np.zeros((*position_m.shape[:-1], 4, 4))
    T[..., :3, 0] = cos * right + sin * down
    T[..., :3, 1] = cos * down - sin * right
    T[..., :3, 2], T[..., :3, 3], T[..., 3, 3] = forward, position_m, 1
    return T


def _propose(rng, times_s, people_m, width, height, camera) -> CameraPath:
    focal = rng.uniform(0.8, 1.0) * max(width, height)
    K = np.array([[focal, 0, (width - 1) / 2], [0, focal, (height - 1) / 2], [0, 0, 1]])
    # People's middle: half-way between the lowest and the highest joint, over all people.
    low, high = people_m.min((0, 2)), people_m.max((0, 2))
    middle = _smooth((low + high) / 2, times_s, 0.35)

    share = rng.uniform(0.42, 0.78)
    distance = focal * 1.7 / (share * height)
    azimuth = rng.uniform(-np.pi, np.pi)
    clip_s = times_s[-1] - times_s[0]
    walks = camera == "walks"
    travel = rng.uniform(1.5, 3.0) if walks else 0.0
    person_way = middle[-1] - middle[0]
    # Walk roughly along with the person or around it.
    heading = np.arctan2(person_way[1], person_way[0]) + rng.normal(0, 0.7)
    if np.linalg.norm(person_way[:2]) < 0.8:
        heading = azimuth + rng.choice([-1, 1]) * rng.uniform(1.2, 1.9)
    s = (times_s - times_s[0]) / max(clip_s, 1e-6)
    pace = s + rng.uniform(-0.05, 0.05) * np.sin(2 * np.pi * s)
    way = travel * (pace - 0.5)[:, None] * [np.cos(heading), np.sin(heading)]
    bend = rng.uniform(-0.25, 0.25) * (1.0 if walks else 0.0)
    way += bend * np.sin(np.pi * s)[:, None] * [-np.sin(heading), np.cos(heading)]
    centre = middle.mean(0) if walks else (middle.min(0) + middle.max(0)) / 2
    position = np.zeros((len(times_s), 3))
    position[:, :2] = centre[:2] + distance * np.array([np.cos(azimuth), np.sin(azimuth)]) + way
    position[:, 2] = rng.uniform(1.25, 1.7)
    target = np.repeat(centre[None], len(times_s), 0) if camera == "stands" else middle.copy()
    target = target + rng.normal(0, [0.06, 0.06, 0.05])
    roll = np.full(len(times_s), rng.normal(0, 0.012))
    if walks:
        position += _shake(rng, times_s, 0.012) + _steps(rng, times_s)
    if camera != "stands":
        # A hand's aim: slow wander of about two degrees, little tremor.
        target += distance * (_shake(rng, times_s, 0.022, 0.6) + _shake(rng, times_s, 0.0015, 4.0))
        roll = roll + _shake(rng, times_s, 0.012)[:, 0]
    return CameraPath(K, look_at(position, target, roll))


def _smooth(values: np.ndarray, times_s: np.ndarray, spread_s: float) -> np.ndarray:
    weight = np.exp(-0.5 * ((times_s[:, None] - times_s) / spread_s) ** 2)
    return weight @ values / weight.sum(1, keepdims=True)


def _shake(rng, times_s, amplitude: float, rate_hz: float = 1.0) -> np.ndarray:
    """Smooth random wander (T, 3): a few sines about a rate, standard deviation `amplitude`."""
    total = np.zeros((len(times_s), 3))
    for factor in (0.6, 1.0, 1.7):
        phase = rng.uniform(0, 2 * np.pi, 3)
        total += np.sin(2 * np.pi * factor * rate_hz * times_s[:, None] + phase)
    return amplitude * total * np.sqrt(2 / 3)


def _steps(rng, times_s) -> np.ndarray:
    """The bob of somebody walking with the camera."""
    rate, phase = rng.uniform(1.6, 2.0), rng.uniform(0, 2 * np.pi)
    bob = 0.012 * np.sin(2 * np.pi * rate * times_s + phase)
    sway = 0.01 * np.sin(np.pi * rate * times_s + phase)
    return np.stack([sway, sway, bob], -1)


def _flaw(path: CameraPath, scene: Scene, people_m, width: int, height: int) -> float:
    """0 for a good path, else how bad it is."""
    people, frames = people_m.shape[:2]
    points = np.moveaxis(people_m, 0, 1).reshape(frames, -1, 3)
    position = path.T_world_camera[:, :3, 3]
    R_world_camera = path.T_world_camera[:, :3, :3]
    in_camera = (points - position[:, None]) @ R_world_camera
    depth = in_camera[..., 2]
    if depth.min() < 0.5:
        return 100.0
    pixels = (in_camera @ path.K.T)[..., :2] / depth[..., None]
    size = np.array([width, height])
    outside = np.maximum(_MARGIN * size - pixels, pixels - (1 - _MARGIN) * size).max() / height
    tall = pixels[..., 1].reshape(frames, people, -1)
    share = (tall.max(-1) - tall.min(-1)) / height
    flaw = max(outside, 0.0) + max(_FRAME_SHARES[0] - share.min(), 0.0)
    flaw += max(share.max() - _FRAME_SHARES[1], 0.0)
    flaw += 5 * max(_CLEARANCE_M - _clearance(scene, position), 0.0)
    if flaw > 0:
        return 1.0 + flaw
    hidden = _hidden_share(scene, position, points)
    steps = _step_points(scene)
    covered = _hidden_share(scene, position, np.repeat(steps[None], frames, 0)) if len(steps) else 0
    return max(hidden - _HIDDEN_SHARE, 0.0) + max(covered - _HIDDEN_STEPS_SHARE, 0.0)


def _clearance(scene: Scene, position: np.ndarray) -> float:
    """Least horizontal distance of the camera to the faces of walls and blocks, negative inside."""
    least = np.inf
    for block in (*scene.walls, *scene.terrain.blocks):
        local = np.abs(block.local_xy(position[:, :2]))
        outside = np.maximum(local - [block.half_length_m, block.half_width_m], 0)
        least = min(least, float(np.linalg.norm(outside, axis=1).min()))
    middle = np.array([wall.centre_xy_m for wall in scene.walls]).mean(0)
    for wall in scene.walls:  # beyond a wall is as bad as in it
        towards = np.subtract(wall.centre_xy_m, middle)
        reach = np.linalg.norm(towards)
        beyond = (position[:, :2] - middle) @ (towards / reach) - reach
        least = min(least, float(-beyond.max()))
    return least


def _step_points(scene: Scene) -> np.ndarray:
    """Points just above the tops of the steps (n, 3)."""
    tops = [block.corners()[4:] for block in scene.terrain.steps]
    inner = [0.8 * top + 0.2 * top.mean(0) + [0, 0, 0.01] for top in tops]
    return np.concatenate(inner) if inner else np.zeros((0, 3))


def _hidden_share(scene: Scene, position: np.ndarray, points: np.ndarray) -> float:
    """Share of the points that boxes hide, over the clip."""
    some = slice(None, None, max(1, len(points) // 12))
    origin = torch.as_tensor(position[some], dtype=torch.float32)
    rays = torch.as_tensor(points[some], dtype=torch.float32) - origin[:, None]
    hits = raycast.cast(scene.batch.repeated(len(origin)), origin, rays)
    # A ray reaches its point at depth 1; feet stand on boxes, hence the tolerance.
    return float((hits.depth_m < 0.97).float().mean())
