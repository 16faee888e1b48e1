"""A finished result of any length and size, made without any stage: people who glide over a
chequered floor before a wall, as files say it."""

from pathlib import Path

import numpy as np
import trimesh

from stages.artifacts import layout, meshes
from stages.artifacts.calibrated_keypoints import FILE as KEYPOINTS_FILE
from stages.artifacts.calibrated_keypoints import (
    CalibratedKeypoints,
    PersonJoints,
    write_calibrated_keypoints,
)
from stages.artifacts.contacts import PersonContact, write_contacts
from stages.artifacts.images import FrameTimes, write_image, write_times
from stages.artifacts.keypoints import KEYPOINT_COUNT, PersonKeypoints, write_keypoints
from stages.artifacts.layout import CALIBRATED, DataFolder, WorldName
from stages.artifacts.masks import write_frame
from stages.artifacts.people_and_world import (
    MEGAHUNTER_FILE,
    RANKING,
    PersonMotion,
    write_people_and_world,
)
from stages.artifacts.robot_motion import (
    MULTI_FILE,
    SINGLE_FILE,
    RobotMotion,
    write_robot_motion,
    write_robot_motions,
)
from stages.artifacts.world import WorldFrame, opened_world, write_world
from stages.body.joint_names import SMPL45_NAMES
from stages.body.model import DEMO_BODY, load_body
from stages.geometry.rotations import wxyz_from_matrix
from stages.robot.model import load_g1
from stages.robot.rest import link_poses_at_rest

FPS = 30.0
CAMERA_HEIGHT_M, WALL_M, TILE_M = 1.2, 6.0, 0.5
AHEAD_M = 3.0
"""How far before the camera the first person goes; each further one a little behind."""
HALF_WIDTH_M, HEIGHT_M = 0.25, 1.7
R_WORLD_CAMERA = np.array([[1.0, 0, 0], [0, 0, 1], [0, -1, 0]])
R_WORLD_ROOT = np.array([[1.0, 0, 0], [0, 0, -1], [0, 1, 0]])
FLOOR, WALL = (np.array([[90, 110, 130], [150, 165, 180]]), np.array([[170, 150, 120]] * 2))
PERSON = np.array([200, 120, 70])


class Place:
    """What a level camera sees of the floor, the wall and the people, frame by frame."""

    def __init__(self, frames: int, height: int, width: int, people: int) -> None:
        self.frames, self.height, self.width = frames, height, width
        self.focal = 0.8 * width
        self.intrinsic = np.array(
            [[self.focal, 0, width / 2], [0, self.focal, height / 2], [0, 0, 1]]
        )
        self.u, self.v = np.meshgrid(np.arange(width) - width / 2, np.arange(height) - height / 2)
        there = np.linspace(-1, 1, frames)
        ways = [there if person % 2 == 0 else -there for person in range(people)]
        self.feet = {
            person: np.stack([way, np.full(frames, AHEAD_M + 0.5 * person), np.zeros(frames)], 1)
            for person, way in enumerate(ways)
        }
        """Places on the floor, by person from 0."""

    def T_world_camera(self, index: int) -> np.ndarray:
        T = np.eye(4)
        T[:3, :3] = R_WORLD_CAMERA
        T[:3, 3] = [0.3 * np.sin(index / 40), 0, CAMERA_HEIGHT_M]
        return T

    def boxes(self, index: int) -> dict[int, np.ndarray]:
        """x1, y1, x2, y2 in pixels of each person, those behind first."""
        eye_x = self.T_world_camera(index)[0, 3]
        found = {}
        for person, places in sorted(self.feet.items(), reverse=True):
            x, y, _ = places[index]
            corners = np.array([[-HALF_WIDTH_M, HEIGHT_M], [HALF_WIDTH_M, 0]])
            right, down = x - eye_x + corners[:, 0], CAMERA_HEIGHT_M - corners[:, 1]
            pixels = np.stack([right, down], 1) / y * self.focal
            pixels += [self.width / 2, self.height / 2]
            size = [self.width - 1, self.height - 1]
            found[person] = np.clip(np.rint(pixels), 0, size).astype(int).ravel()
        return found

    def frame(self, index: int) -> WorldFrame:
        T = self.T_world_camera(index)
        floor = CAMERA_HEIGHT_M * self.focal / np.maximum(self.v, 1e-3)
        depth = np.minimum(floor, WALL_M)
        x, z = T[0, 3] + self.u / self.focal * depth, -self.v / self.focal * depth
        is_floor = floor < WALL_M
        tile = (np.floor(x / TILE_M) + np.floor(np.where(is_floor, depth, z) / TILE_M)) % 2
        rgb = np.where(is_floor[..., None], FLOOR[tile.astype(int)], WALL[tile.astype(int)])
        dynamic = self.ids(index) > 0
        for person, (x1, y1, x2, y2) in self.boxes(index).items():
            depth[y1 : y2 + 1, x1 : x2 + 1] = self.feet[person][index, 1]
            rgb[y1 : y2 + 1, x1 : x2 + 1] = PERSON - 40 * person
        random = np.random.default_rng(index)
        return WorldFrame(
            name=f"{index + 1:05d}",
            rgb=np.clip(rgb + random.integers(-6, 7, rgb.shape), 0, 255).astype(np.uint8),
            intrinsic=self.intrinsic,
            T_world_camera=T,
            depth=(depth + 0.002 * random.standard_normal(depth.shape)).astype(np.float32),
            confidence=np.broadcast_to(
                np.linspace(0.02, 1, self.width, dtype=np.float32), depth.shape
            ),
            dynamic=dynamic,
            affine_original_from_reconstruction=np.eye(3)[:2],
            time_s=index / FPS,
        )

    def ids(self, index: int) -> np.ndarray:
        """Ids of the people by pixel, from 1."""
        found = np.zeros((self.height, self.width), np.uint16)
        for person, (x1, y1, x2, y2) in self.boxes(index).items():
            found[y1 : y2 + 1, x1 : x2 + 1] = person + 1
        return found


def write_clip(
    data: Path, video: str, frames: int, height: int, width: int, people: int = 1
) -> Path:
    """Writes pictures, masks, keypoints, contacts, people, place and robots; returns the folder of
    the result."""
    place, folder = Place(frames, height, width, people), DataFolder(data)
    name = WorldName("sfm", video, 0, frames, 1)
    result = data / CALIBRATED / name.megahunter_stem
    result.mkdir(parents=True)
    world = data / layout.world_folder("sfm") / f"{name.stem}.h5"
    world.parent.mkdir(exist_ok=True)
    write_world(world, map(place.frame, range(frames)))
    _write_stage0(folder, video, place)
    motions = _write_people(result, place)
    with opened_world(world) as (group, _):
        write_people_and_world(
            result / MEGAHUNTER_FILE,
            group,
            motions,
            lambda points: points,
            lambda camera: camera,
            frames_as_dataset=True,
            **{RANKING: list(motions)},
        )
    _write_robots(result, place)
    floor = trimesh.creation.box((8, 8, 0.02))
    floor.apply_translation([0, AHEAD_M, -0.01])
    tiles = trimesh.remesh.subdivide_to_size(floor.vertices, floor.faces, TILE_M)
    meshes.write_mesh(result / meshes.MESH_FILE, *tiles)
    return result


def _write_stage0(folder: DataFolder, video: str, place: Place) -> None:
    body = load_body(DEMO_BODY)
    soles = body.v_template[:, 1] < body.v_template[:, 1].min() + 0.02
    for index in range(place.frames):
        stem, people = f"{index + 1:05d}", sorted(place.boxes(index))
        write_image(folder.images(video) / f"{stem}.jpg", place.frame(index).rgb)
        ids = place.ids(index)
        write_frame(folder.masks(video), stem, ids, dict.fromkeys([p + 1 for p in people], 0.9))
        keypoints, contacts = {}, {}
        for person in people:
            box = place.boxes(index)[person].astype(np.float32)
            share = np.linspace(0, 1, KEYPOINT_COUNT)[:, None]
            spread = np.hstack([box[:2] + share * (box[2:] - box[:2]), np.full_like(share, 0.9)])
            keypoints[person + 1] = PersonKeypoints(np.append(box, np.float32(1)), spread)
            contacts[person + 1] = PersonContact(soles[:, None].astype(np.float32), True, True)
        write_keypoints(folder.keypoints(video), index + 1, keypoints)
        write_contacts(folder.contacts(video), stem, contacts)
    times_s = np.arange(place.frames) / FPS
    write_times(folder.images(video), FrameTimes(FPS, times_s, f"{video}.mp4"))


def _write_people(result: Path, place: Place) -> dict[int, PersonMotion]:
    """In their pose at rest, soles on the floor."""
    body, frames = load_body(DEMO_BODY), place.frames
    rest = body.rest_joints(np.zeros(10))
    points = np.concatenate([rest, body.v_template[body.extra_vertices]]) - rest[0]
    above_soles = np.array([0, 0, rest[0, 1] - body.v_template[:, 1].min()])
    R = np.tile(R_WORLD_ROOT, (frames, 1, 1)).astype(np.float32)
    motions, joints = {}, {}
    for person, feet in place.feet.items():
        root = feet + above_soles
        motions[person + 1] = PersonMotion(
            [f"{index + 1:05d}" for index in range(frames)],
            np.tile(np.eye(3), (frames, 23, 1, 1)),
            R,
            root,
            np.zeros((frames, 10)),
        )
        placed = (points @ R_WORLD_ROOT.T + root[:, None]).astype(np.float32)
        joints[person + 1] = PersonJoints(placed, R)
    write_calibrated_keypoints(
        result / KEYPOINTS_FILE,
        CalibratedKeypoints(joints, np.eye(3), list(SMPL45_NAMES), {}),
    )
    return motions


def _write_robots(result: Path, place: Place) -> None:
    """In their pose at rest, soles about on the floor."""
    frames, robot = place.frames, load_g1()
    R_link, p_link = link_poses_at_rest(robot)
    quat = wxyz_from_matrix(R_link)[:, [1, 2, 3, 0]]
    always = np.ones(frames, bool)
    motions = {}
    for person, feet in place.feet.items():
        root = feet - [0, 0, p_link[:, 2].min() - 0.03]
        motions[person + 1] = RobotMotion(
            fps=FPS,
            joint_names=list(robot.joint_names),
            link_names=list(robot.link_names),
            joints=np.zeros((frames, len(robot.joint_names))),
            root_pos=root,
            root_quat_xyzw=np.tile([0.0, 0, 0, 1], (frames, 1)),
            link_pos=p_link + root[:, None],
            link_quat_xyzw=np.tile(quat, (frames, 1, 1)),
            left_foot=always,
            right_foot=always,
            frame_numbers=np.arange(1, frames + 1, dtype=np.int32),
            times_s=np.arange(frames) / FPS,
            seen=always,
            present=always,
        )
    if len(motions) > 1:
        write_robot_motions(result / MULTI_FILE, motions)
    else:
        write_robot_motion(result / SINGLE_FILE, motions[1], person=1)
