"""Scenes with known truth: people on boxes and floors before a moving camera, measured badly."""

from dataclasses import dataclass, replace

import numpy as np

from bench.noise import correlated
from stages.body.model import DEMO_BODY, load_body
from stages.body.skin import forward_kinematics
from stages.geometry.block_terrain import Terrain
from stages.geometry.rotations import matrix_from_rotvec
from stages.people.ground import CANDIDATES, grounds_near
from stages.people.posing import posed_points
from stages.people.skeleton import KEYPOINTS, SkeletonBuilder
from stages.people.tracks import Cameras, Track
from stages.stage2_megahunter.scene_samples import SceneSamples
from tools.footage.camera_paths import look_at
from tools.footage.motions import (
    Motion,
    ShapedBody,
    climb_stairs,
    jump_onto_box,
    sample_betas,
    walk,
)
from tools.footage.scenes import sample_terrain

BODY = load_body(DEMO_BODY)
PICKER = SkeletonBuilder(BODY)
WIDTH, HEIGHT = 320, 180


@dataclass(frozen=True)
class Noise:
    """How badly things are measured; angles in radians."""

    pose_rad: float = 0.06  # a third more than the demo networks have on rendered clips
    root_rad: float = 0.045
    betas: float = 0.65
    keypoint: float = 0.0125  # of the box height, per axis
    outliers: float = 0.03
    depth: float = 0.01
    camera: float = 0.004  # of the path's extent
    contact_flips: float = 0.08
    person_depth: bool = False  # whether the reconstruction has the people's surface


QUIET = Noise(0, 0, 0, 0, 0, 0, 0, 0)


@dataclass(frozen=True)
class Scene:
    """The truth, and what stage 2 is given of it."""

    terrain: Terrain
    motion: Motion
    cameras: Cameras  # measured, SfM units
    Ts_true: np.ndarray  # camera to true world, metres
    scale: float
    track: Track
    around: SceneSamples

    def errors(self, solved, person=0):
        """Scale (share), mean root and joint errors (m); the first camera gives the rotation to
        the true world and the first frame's pelvis the translation."""
        mine = solved.people[person]
        at = np.flatnonzero(mine.valid & mine.detected)
        to_true = self.Ts_true[0] @ np.linalg.inv(metric(self.cameras.Ts_world_camera[0], solved))
        joints, true = joints_of(mine), true_joints(self.motion)
        moved = joints[at] @ to_true[:3, :3].T + to_true[:3, 3]
        root, true_root = moved[:, 0], true[at, 0]
        near = moved - moved[0, 0] + true[at[0], 0]
        path = (root - root[0]) - (true_root - true_root[0])
        return {
            "scale": abs(solved.scale / self.scale - 1),
            "path_m": float(np.linalg.norm(path, axis=1).mean()),
            "mpjpe_m": float(np.linalg.norm(near - true[at], axis=-1).mean()),
        }


def metric(T, solved):
    """The pose (4, 4) of a camera, its place in metres."""
    T = T.astype(float).copy()
    T[:3, 3] *= solved.scale
    return T


def joints_of(person):
    """Joints (T, 24, 3) of a solved person in the solved world, m."""
    rest = PICKER.skeleton(person.betas).joints
    return forward_kinematics(person.rotmats, rest, person.root)[1]


def true_joints(motion):
    """Joints (T, 24, 3) of a motion in the true world, m."""
    rest = PICKER.skeleton(motion.betas).joints
    return forward_kinematics(motion.local_rotmats, rest, motion.root_m)[1]


def cast_depth(terrain: Terrain, T_world_camera, K):
    """z-depth of floor, boxes and a far wall."""
    x, y = np.meshgrid(np.arange(WIDTH), np.arange(HEIGHT))
    rays = np.stack([(x - K[0, 2]) / K[0, 0], (y - K[1, 2]) / K[1, 1], np.ones_like(x)], -1)
    d = rays @ T_world_camera[:3, :3].T
    o = T_world_camera[:3, 3]
    with np.errstate(divide="ignore", invalid="ignore"):
        depth = np.where(d[..., 2] < 0, -o[2] / d[..., 2], np.inf)
        for block in terrain.blocks:
            c, s = np.cos(block.yaw_rad), np.sin(block.yaw_rad)
            turn = np.array([[c, s, 0], [-s, c, 0], [0, 0, 1.0]])
            lo = turn @ (o - [*block.centre_xy_m, 0.0])
            ld = d @ turn.T
            box = np.array([block.half_length_m, block.half_width_m])
            low = np.array([*-box, block.bottom_m])
            high = np.array([*box, block.top_m])
            a, b = (low - lo) / ld, (high - lo) / ld
            near = np.minimum(a, b).max(-1)
            far = np.maximum(a, b).min(-1)
            depth = np.where((near < far) & (near > 0), np.minimum(depth, near), depth)
    return np.minimum(depth, 15.0)


def perform(kind, rng, terrain, frames):
    """So many frames of what people do in a place of a kind."""
    rest = ShapedBody(BODY).rest(sample_betas(rng, 0.7))
    if kind == "jump_box":
        motion = jump_onto_box(rest, terrain, seconds=frames / 30.0)
    elif kind == "stairs":
        motion = climb_stairs(rest, terrain, seconds=frames / 30.0)
    else:
        start = np.array(terrain.start_xy_m)
        ahead = np.array([np.cos(terrain.heading_rad), np.sin(terrain.heading_rad)])
        motion = walk(rest, terrain, [tuple(start), tuple(start + 5.0 * ahead)])
    return motion.cut(0, min(frames, len(motion)))


def scene(kind="flat", seed=101, noise=Noise(), frames=100, planted_known=True):
    """A person in a place of a kind, filmed and measured; the same for the same seed."""
    rng = np.random.default_rng([seed, 5])
    terrain = sample_terrain(kind, np.random.default_rng(seed))
    motion = perform(kind, rng, terrain, frames)
    T = len(motion)
    focal = 0.9 * WIDTH
    K = np.array([[focal, 0, WIDTH / 2], [0, focal, HEIGHT / 2], [0, 0, 1]])

    middle = motion.root_m.mean(0)
    heading = rng.uniform(0, 2 * np.pi)
    distance = rng.uniform(3.2, 4.5)
    swing = np.linspace(-0.12, 0.12, T) + 0.01 * np.cumsum(rng.normal(size=T)) / np.sqrt(T)
    eyes = np.stack(
        [
            middle[0] + distance * np.cos(heading + swing),
            middle[1] + distance * np.sin(heading + swing),
            1.5 + 0.05 * correlated(rng, T, (), 0.97),
        ],
        -1,
    )
    aims = 0.3 * motion.root_m + 0.7 * middle + 0.05 * correlated(rng, T, (3,), 0.97)
    Ts_true = look_at(eyes, aims)

    scale = float(np.exp(rng.uniform(np.log(0.3), np.log(4.0))))
    to_sfm = np.linalg.inv(Ts_true[0])
    Ts = to_sfm @ Ts_true
    extent = np.linalg.norm(Ts[:, :3, 3], axis=1).max()
    Ts[:, :3, 3] += noise.camera * extent * correlated(rng, T, (3,), 0.9)
    Ts[:, :3, 3] /= scale
    Ts[:, :3, :3] = Ts[:, :3, :3] @ matrix_from_rotvec(
        0.002 * noise.camera / 0.004 * correlated(rng, T, (3,), 0.9)
    )
    affine = np.array([[2.0, 0, 0], [0, 2.0, 0]])
    cameras = Cameras(np.repeat(K[None], T, 0), Ts, affine, np.arange(T) / 30.0)

    skeleton = PICKER.skeleton(motion.betas)
    keypoints, _ = posed_points(motion.local_rotmats, motion.root_m, skeleton)
    inverse = np.linalg.inv(Ts_true)
    in_camera = np.einsum("tab,tkb->tka", inverse[:, :3, :3], keypoints) + inverse[:, None, :3, 3]
    pixels = in_camera[..., :2] / in_camera[..., 2:] * focal + K[:2, 2]
    boxes = np.concatenate([pixels.min(1) - 8, pixels.max(1) + 8], axis=1)
    size = boxes[:, 3] - boxes[:, 1]
    exact = pixels.copy()
    pixels = pixels + noise.keypoint * size[:, None, None] * correlated(rng, T, (18, 2), 0.6)
    bad = rng.random((T, 18)) < noise.outliers
    pixels[bad] += (size[:, None, None] * rng.normal(0, 0.25, (T, 18, 2)))[bad]
    scores = np.clip(rng.normal(0.85, 0.08, (T, 18)), 0.3, 1.0)

    R_camera = motion.local_rotmats.copy()
    R_camera[:, 0] = inverse[:, :3, :3] @ R_camera[:, 0]
    turns = noise.pose_rad * correlated(rng, T, (24, 3), 0.9)
    turns[:, 0] *= noise.root_rad / max(noise.pose_rad, 1e-9)
    R_camera = matrix_from_rotvec(turns) @ R_camera
    planted = motion.contacts ^ (rng.random((T, 2)) < noise.contact_flips)
    yes = np.ones(T, bool)
    track = Track(
        1,
        yes,
        yes,
        pixels,
        scores,
        boxes,
        R_camera,
        motion.betas + noise.betas * rng.normal(size=10),
        planted if planted_known else np.zeros_like(planted),
    )
    around = surroundings(rng, terrain, Ts_true, K, track, scale, noise, in_camera, skeleton, exact)
    return Scene(terrain, motion, cameras, Ts_true, scale, track, around)


def surroundings(rng, terrain, Ts_true, K, track, scale, noise, in_camera, skeleton, exact):
    """What a reconstruction of the place says around the person, in its own units."""
    T = len(track.valid)
    points, normals = np.zeros((T, 2, CANDIDATES, 3)), np.zeros((T, 2, CANDIDATES, 3))
    weights = np.zeros((T, 2, CANDIDATES))
    for t in range(T):
        depth = cast_depth(terrain, Ts_true[t], K) / scale
        depth *= 1 + noise.depth * rng.normal(size=depth.shape)
        static = rng.random(depth.shape) > 0.2
        up = track.rotmats[t, 0, :, 1]
        for foot in range(2):
            pixel = np.median(track.pixels[t, 12 + 3 * foot : 15 + 3 * foot], axis=0)
            radius = 0.12 * (track.boxes[t, 3] - track.boxes[t, 1])
            for k, patch in enumerate(grounds_near(depth, static, K, pixel, radius, up)):
                points[t, foot, k], normals[t, foot, k], weights[t, foot, k] = patch
    depths = (in_camera[..., 2] - skeleton.depths[:KEYPOINTS]) / scale
    depths *= 1 + noise.depth * correlated(rng, T, (18,), 0.5)
    near = np.linalg.norm(track.pixels - exact, axis=-1) < 6
    trust = (0.9 * near if noise.person_depth else np.zeros_like(depths)) * 1.0
    return SceneSamples(depths, trust, points, normals, weights)


def cut(scene: Scene, **changes) -> Scene:
    """The scene with a track of which some fields are others."""
    return replace(scene, track=replace(scene.track, **changes))
