"""Problems of any length for the solvers: the demo's true motions, measured as networks would.

A clip longer than the demo's runs forwards and backwards in turn, with noise of its own in every
frame. Everything comes from `data/demo/truth` and needs neither networks nor a renderer.
"""

import functools
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from bench import DEMO
from bench.noise import correlated
from stages.artifacts.truth import Truth, read_truth
from stages.body.joint_names import COCO18, SMPL45_OF_COCO18, smpl45_row
from stages.body.model import DEMO_BODY, load_body
from stages.geometry.block_terrain import Terrain as Place
from stages.geometry.rotations import matrix_from_rotvec
from stages.people.ground import CANDIDATES
from stages.people.skeleton import KEYPOINTS, SkeletonBuilder
from stages.people.tracks import Cameras, Track
from stages.robot.terrain import Terrain
from stages.stage2_megahunter.scene_samples import SceneSamples
from stages.stage4_retarget.contacts import Flags
from stages.stage4_retarget.retarget import Person

CLIPS = ("walk_stairs_01", "jump_box_01")
# Errors of estimates, about those of the demo's networks.
POSE_RAD = 0.13
ROOT_RAD = 0.08
BETAS = 0.4
KEYPOINT = 0.0125  # of the box height
OUTLIERS = 0.03
DEPTH = 0.01
CONTACT_FLIPS = 0.08
DRIFT_M = 0.02
JOINT_M = 0.005
METRES_PER_UNIT = 1.7
# Neighbouring frames' errors have this much in common.
KEEP = 0.9


@dataclass(frozen=True)
class Measured:
    """What stage 2's solver is given of a video."""

    cameras: Cameras
    track: Track
    around: SceneSamples


@functools.cache
def picker() -> SkeletonBuilder:
    """Of the demo's body model."""
    return SkeletonBuilder(load_body(DEMO_BODY))


@functools.cache
def truth(clip: str) -> Truth:
    """The demo's own."""
    return read_truth(DEMO / "truth" / clip)


class BlockTerrain(Terrain):
    """The ground of a rendered scene: heights of its boxes instead of rays against a mesh."""

    def __init__(self, place: Place) -> None:
        self.empty = False
        self.place = place

    def surface_below(self, points: Float[np.ndarray, "N 3"]) -> Float[np.ndarray, " N"]:
        """As `Terrain.surface_below`."""
        height = np.where(points[:, 2] >= 0, 0.0, np.nan)
        for block in self.place.blocks:
            on = block.covers(points[:, :2]) & (block.top_m <= points[:, 2])
            height = np.where(on, np.fmax(height, block.top_m), height)
        return height

    def surface_at(
        self, points: Float[np.ndarray, "N 3"], reach_m: float = 0.1
    ) -> Float[np.ndarray, " N"]:
        """As `Terrain.surface_at`: what is sunk deeper than `reach_m` stands on what is above."""
        below = self.surface_below(points + np.array([0.0, 0.0, reach_m]))
        return np.where(np.isnan(below), self.place.height_at(points[:, :2]), below)


def measured(number: int, frames: int) -> Measured:
    """Stage 2's input for a video; different numbers are different videos."""
    true = truth(CLIPS[number % len(CLIPS)])
    rng = np.random.default_rng([number, frames])
    rows = _there_and_back(len(true.times_s), frames)
    Ts_true = true.T_world_camera[rows].astype(float)
    from_world = np.linalg.inv(Ts_true)
    Ts = np.linalg.inv(Ts_true[0]) @ Ts_true
    Ts[:, :3, 3] /= METRES_PER_UNIT
    K = np.repeat(true.K[None].astype(float), frames, axis=0)
    cameras = Cameras(K, Ts, np.eye(3)[:2], np.arange(frames) / true.fps)

    pixels = true.keypoints_px[0, rows][:, np.array(COCO18)].astype(float)
    boxes = np.concatenate([pixels.min(axis=1) - 16, pixels.max(axis=1) + 16], axis=1)
    height = (boxes[:, 3] - boxes[:, 1])[:, None, None]
    pixels += KEYPOINT * height * correlated(rng, frames, (18, 2), KEEP)
    wrong = rng.random((frames, 18)) < OUTLIERS
    pixels[wrong] += (0.25 * height * rng.normal(size=pixels.shape))[wrong]

    turns = POSE_RAD * correlated(rng, frames, (24, 3), KEEP)
    turns[:, 0] *= ROOT_RAD / POSE_RAD
    rotmats = true.local_rotmats[0, rows].astype(float)
    rotmats[:, 0] = from_world[:, :3, :3] @ rotmats[:, 0]
    everywhere = np.ones(frames, bool)
    track = Track(
        person=1,
        detected=everywhere,
        valid=everywhere,
        pixels=pixels,
        scores=np.clip(rng.normal(0.85, 0.08, (frames, 18)), 0.3, 1.0),
        boxes=boxes,
        rotmats=matrix_from_rotvec(turns) @ rotmats,
        betas=true.betas[0] + BETAS * rng.normal(size=10),
        contacts=true.contacts[0, rows] ^ (rng.random((frames, 2)) < CONTACT_FLIPS),
    )
    return Measured(cameras, track, _surroundings(rng, true, rows, from_world, track))


def _surroundings(
    rng: np.random.Generator,
    true: Truth,
    rows: Int[np.ndarray, " T"],
    from_world: Float[np.ndarray, "T 4 4"],
    track: Track,
) -> SceneSamples:
    """Depth of the person's surface, and around each foot in contact the ground's levels."""
    frames = len(rows)
    skeleton = picker().skeleton(true.betas[0])
    joints = _in_camera(from_world, true.joints_m[0, rows].astype(float))
    depths = joints[:, np.array(SMPL45_OF_COCO18), 2] - skeleton.depths[:KEYPOINTS]
    depths *= (1 + DEPTH * correlated(rng, frames, (18,), KEEP)) / METRES_PER_UNIT
    points = np.zeros((frames, 2, CANDIDATES, 3))
    normals = np.zeros_like(points)
    weights = np.zeros(points.shape[:3])
    for foot, toe in enumerate((smpl45_row("left_foot"), smpl45_row("right_foot"))):
        at = true.joints_m[0, rows, toe].astype(float)
        for k, (x, y) in enumerate([(0.0, 0.0), (0.25, 0.0), (0.0, 0.25)][:CANDIDATES]):
            spot = at + np.array([x, y, 0.0])
            spot[:, 2] = true.terrain.height_at(spot[:, :2]) + 0.01 * correlated(
                rng, frames, (), KEEP
            )
            points[:, foot, k] = _in_camera(from_world, spot[:, None])[:, 0] / METRES_PER_UNIT
        normals[:, foot] = from_world[:, None, :3, 2]
        weights[:, foot] = 0.8 * track.contacts[:, foot, None]
    return SceneSamples(depths, np.full((frames, 18), 0.9), points, normals, weights)


def performed(number: int, frames: int) -> tuple[Person, Terrain]:
    """Stage 4's input for a video; different numbers are different videos."""
    true = truth(CLIPS[number % len(CLIPS)])
    rng = np.random.default_rng([number, frames])
    rows = _there_and_back(len(true.times_s), frames)
    joints = true.joints_m[0, rows] + DRIFT_M * correlated(rng, frames, (1, 3), KEEP)
    joints += JOINT_M * correlated(rng, frames, (45, 3), KEEP)
    touching = true.contacts[0, rows] ^ (rng.random((frames, 2)) < CONTACT_FLIPS)
    person = Person(
        joints.astype(np.float32),
        true.local_rotmats[0, rows, 0],
        np.arange(frames) / true.fps,
        Flags(touching, np.ones(frames, bool)),
    )
    return person, BlockTerrain(true.terrain)


def _there_and_back(length: int, frames: int) -> Int[np.ndarray, " frames"]:
    """0, 1, ... length - 1, length - 2, ... 0, 1, ..."""
    phase = np.arange(frames) % (2 * length - 2)
    return np.where(phase < length, phase, 2 * length - 2 - phase)


def _in_camera(
    from_world: Float[np.ndarray, "T 4 4"], points: Float[np.ndarray, "T N 3"]
) -> Float[np.ndarray, "T N 3"]:
    return np.einsum("tab,tnb->tna", from_world[:, :3, :3], points) + from_world[:, None, :3, 3]
