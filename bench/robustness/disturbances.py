"""What is done to a good input, each disturbance defined once for tests and for the tables."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from unittest import mock

import numpy as np
import trimesh
from jaxtyping import Float

from bench.robustness.scenes import Scene, cut
from stages.body.joint_names import smpl45_row
from stages.geometry.block_terrain import Terrain as Place
from stages.geometry.intervals import runs_of_true
from stages.geometry.rotations import matrix_from_rotvec
from stages.people import placing
from stages.people.tracks import Track
from stages.robot.terrain import Terrain
from stages.stage4_retarget.contacts import Flags
from stages.stage4_retarget.foot_targets import TOES
from stages.stage4_retarget.retarget import Person
from tools.footage.terrain_mesh import exposed_surface

LYING_PELVIS_M = 0.25
HOLE_M = 0.3
LEFT_FOOT = [
    smpl45_row(f"left_{name}") for name in ("ankle", "foot", "big_toe", "small_toe", "heel")
]


def turned(scene: Scene, degrees: float = 90.0) -> Scene:
    """The first orientation of the person is wrong in all frames, about the body's own axis."""
    rotmats = scene.track.rotmats.copy()
    rotmats[:, 0] = rotmats[:, 0] @ matrix_from_rotvec(np.array([0.0, np.deg2rad(degrees), 0.0]))
    return cut(scene, rotmats=rotmats)


@contextmanager
def misplaced(offset_m: tuple[float, float, float]) -> Iterator[None]:
    """Whoever is solved meanwhile is first placed so far off, in the axes of the cameras."""
    place = placing.place_before_camera
    with mock.patch.object(
        placing, "place_before_camera", lambda *given: place(*given) + np.array(offset_m)
    ):
        yield


def with_outliers(scene: Scene, share: float = 0.4, seed: int = 0) -> Scene:
    """That share of the keypoints lies elsewhere, by half the height of the person's box."""
    rng = np.random.default_rng(seed)
    pixels = scene.track.pixels.copy()
    height = scene.track.boxes[:, 3] - scene.track.boxes[:, 1]
    wrong = rng.random(pixels.shape[:2]) < share
    pixels[wrong] += (0.5 * height[:, None, None] * rng.normal(size=pixels.shape))[wrong]
    return cut(scene, pixels=pixels)


def with_gap(scene: Scene, frames: int = 30) -> Scene:
    """The person is not seen in so many frames in a row, in the middle."""
    seen = scene.track.detected.copy()
    first = (len(seen) - frames) // 2
    seen[first : first + frames] = False
    return cut(scene, detected=seen, valid=seen)


def second_person(scene: Scene, share: float = 0.5) -> Track:
    """The same person again under the id 2, seen in the first share of the frames only."""
    seen = np.arange(len(scene.track.valid)) < share * len(scene.track.valid)
    return replace(scene.track, person=2, detected=seen, valid=seen)


def in_units(scene: Scene, factor: float) -> Scene:
    """The reconstruction has lengths that many times as large."""
    Ts = scene.cameras.Ts_world_camera.copy()
    Ts[:, :3, 3] *= factor
    around = replace(
        scene.around,
        depths=scene.around.depths * factor,
        ground_points=scene.around.ground_points * factor,
    )
    cameras = replace(scene.cameras, Ts_world_camera=Ts)
    return replace(scene, cameras=cameras, around=around, scale=scene.scale / factor)


def lying(person: Person, place: Place, on_the_back: bool = True) -> Person:
    """The person lies, on the back or on the right side, and walks on in the air.

    The pelvis is LYING_PELVIS_M over the highest ground on the way.
    """
    ahead = person.R_world_root[:, :, 2].mean(axis=0) * [1, 1, 0]
    ahead /= np.linalg.norm(ahead)
    left = np.cross([0, 0, 1.0], ahead)
    upright = np.stack([ahead, left, [0, 0, 1.0]])
    laid = np.stack([[0, 0, 1.0], left, -ahead] if on_the_back else [ahead, [0, 0, 1.0], -left])
    turn = (laid.T @ upright).astype(np.float32)
    pelvis = person.joints[:, :1]
    joints = (person.joints - pelvis) @ turn.T + pelvis
    highest = place.height_at(joints[..., :2].reshape(-1, 2)).max()
    joints[..., 2] += highest + LYING_PELVIS_M - pelvis[..., 2]
    return replace(
        person, joints=joints.astype(np.float32), R_world_root=turn @ person.R_world_root
    )


def with_arms_crossed(person: Person) -> Person:
    """The wrists are before the chest, each on the other side."""
    joints = person.joints.copy()
    chest = joints[:, smpl45_row("spine_3")]
    for name, side in (("left_wrist", -1), ("right_wrist", 1)):
        before = person.R_world_root @ np.array([0.12 * side, -0.05, 0.12])
        joints[:, smpl45_row(name)] = chest + before
    return replace(person, joints=joints)


def with_foot_sunk(person: Person, depth_m: float = 0.08) -> Person:
    """The left foot is so much lower in all frames, through the ground where it stands."""
    joints = person.joints.copy()
    joints[:, LEFT_FOOT, 2] -= depth_m
    return replace(person, joints=joints)


def without_contacts(person: Person) -> Person:
    """Every flag says that nothing touches."""
    return replace(person, flags=Flags(np.zeros_like(person.flags.touching), person.flags.known))


def with_holes(place: Place, person: Person) -> Terrain:
    """The place's mesh without what is within HOLE_M of every other spot where a foot stands."""
    vertices, faces = trimesh.remesh.subdivide_to_size(*exposed_surface(place), 0.5 * HOLE_M)
    away = vertices[faces].mean(axis=1)[:, None] - standing_spots(person)[::2]
    return Terrain(vertices, faces[np.linalg.norm(away, axis=2).min(axis=1) > HOLE_M])


def standing_spots(person: Person) -> Float[np.ndarray, "S 3"]:
    """The median place of the toe base in every stance, the left foot's first (world, m)."""
    toes = person.joints[:, TOES].astype(float)
    return np.array(
        [
            np.median(toes[start:end, foot], axis=0)
            for foot in range(2)
            for start, end in runs_of_true(person.flags.touching[:, foot])
        ]
    )
