"""A person who stands here and there before a tilted camera on one spot, and what it films."""

from dataclasses import dataclass

import cv2
import numpy as np

from stages.artifacts.bodies import PersonBody, write_bodies
from stages.artifacts.contacts import PersonContact, write_contacts
from stages.artifacts.images import write_image
from stages.artifacts.keypoints import PersonKeypoints, write_keypoints
from stages.artifacts.layout import DataFolder
from stages.artifacts.masks import summarise, write_frame, write_summary
from stages.body.joint_names import COCO18
from stages.body.model import DEMO_BODY, load_body
from stages.people.posing import posed_points
from stages.people.skeleton import SkeletonBuilder
from stages.people.tracks import Cameras, Track

SIZE = (288, 512)
K = np.array([[435.2, 0, 255.5], [0, 435.2, 143.5], [0, 0, 1.0]])
"""With the assumed focal length: 0.85 of the long side."""
CAMERA_HEIGHT_M = 1.5
UP = np.array([0.0, -np.cos(0.2), -np.sin(0.2)])
"""The camera looks down by 0.2 rad."""
BUILDER = SkeletonBuilder(load_body(DEMO_BODY))
FRAMES_A_PLACE = 15
FLAT = ((-1.0, 5.0, 0.0), (0.0, 4.0, 0.0), (1.0, 5.5, 0.0), (0.5, 6.5, 0.0))
BOX = (*FLAT, (-0.5, 5.5, 0.3))
"""Places: right, ahead and height above the ground, metres."""


def to_world(places):
    """Points (right, ahead, height above the ground) in the axes of the first camera."""
    right, ahead = np.array([1.0, 0, 0]), np.cross(UP, [1.0, 0, 0])
    places = np.asarray(places, float)
    heights = places[..., 2:] - CAMERA_HEIGHT_M
    return places[..., :1] * right + places[..., 1:2] * ahead + heights * UP


def turned(degrees: float) -> np.ndarray:
    """R_world_camera of a camera that turns to the right about the upright axis."""
    return cv2.Rodrigues(-np.radians(degrees) * UP)[0]


def cameras(turns_deg) -> Cameras:
    T = len(turns_deg)
    Ts = np.tile(np.eye(4), (T, 1, 1))
    Ts[:, :3, :3] = [turned(degrees) for degrees in turns_deg]
    affine = np.array([[1.0, 0, 0], [0, 1, 0]])
    return Cameras(np.tile(K, (T, 1, 1)), Ts, affine, np.arange(T) / 30)


def person(places, seen_by: Cameras, number: int = 1) -> Track:
    """Stands upright for FRAMES_A_PLACE frames at each place, in contact with both feet."""
    T = FRAMES_A_PLACE * len(places)
    skeleton = BUILDER.skeleton(np.zeros(10))
    R_world_body = np.stack([[1.0, 0, 0], UP, np.cross([1.0, 0, 0], UP)], axis=1)
    Rs = np.swapaxes(seen_by.R_world_camera, 1, 2)
    rotmats = np.tile(np.eye(3), (T, 24, 1, 1))
    rotmats[:, 0] = Rs @ R_world_body
    feet = np.repeat(to_world(places), FRAMES_A_PLACE, axis=0)
    still = posed_points(rotmats, np.zeros((T, 3)), skeleton)[1]
    soles = np.einsum("tba,tsb->tsa", Rs, still) @ UP
    root = np.einsum("tab,tb->ta", Rs, feet - soles.min(axis=1)[:, None] * UP)
    points = posed_points(rotmats, root, skeleton)[0]
    pixels = points[..., :2] / points[..., 2:] * K[0, 0] + K[:2, 2]
    boxes = np.concatenate([pixels.min(axis=1) - 5, pixels.max(axis=1) + 5], axis=1)
    seen = np.ones(T, bool)
    return Track(
        number, seen, seen, pixels, np.ones((T, 18)), boxes, rotmats, np.zeros(10),
        np.ones((T, 2), bool),
    )  # fmt: skip


def stone(seed: int = 0, size: int = 2048) -> np.ndarray:
    """Grey noise with detail at all scales."""
    rng = np.random.default_rng(seed)
    picture = np.zeros((size, size))
    for cells in (16, 64, 256, 1024):
        picture += cv2.resize(rng.normal(size=(cells, cells)), (size, size), None, 0, 0, 2)
    return np.clip(128 + 40 * picture / picture.std(), 0, 255).astype(np.uint8)


def view(texture: np.ndarray, R_world_camera: np.ndarray, shift=(0.0, 0.0, 0.0), K=K) -> np.ndarray:
    """What a camera sees of a wall that stands 4 m before the first camera."""
    scale = texture.shape[0] / 10.0
    wall = np.array([[scale, 0, texture.shape[1] / 2], [0, scale, texture.shape[0] / 2], [0, 0, 1]])
    to_wall = np.column_stack([4 * np.eye(3)[:, :2], np.zeros(3)])
    to_wall[2] = [0, 0, 1]
    # A ray r from the centre c meets the wall z = 4 at c + r (4 - c_z) / r_z.
    x, y, z = shift
    meets = np.array([[4 - z, 0, x], [0, 4 - z, y], [0, 0, 1]])
    H = wall @ meets @ R_world_camera @ np.linalg.inv(K)
    return cv2.warpPerspective(
        texture, H, SIZE[::-1], flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    )


@dataclass(frozen=True)
class Video:
    """A data folder that stage 0 has finished, with one video."""

    data: DataFolder
    name: str


def write_video(
    data: DataFolder, name: str, tracks, turns_deg, frames=None, contacts=True
) -> Video:
    """Pictures of a wall and the files of stage 0; `contacts` False: there are none."""
    texture = stone()
    labels = []
    for t, degrees in enumerate(turns_deg[:frames]):
        stem = f"{t + 1:05d}"
        grey = view(texture, turned(degrees))
        write_image(data.images(name) / f"{stem}.jpg", np.repeat(grey[..., None], 3, 2))
        ids = np.zeros(SIZE, np.uint16)
        keypoints, bodies, touching = {}, {}, {}
        for track in tracks:
            x1, y1, x2, y2 = np.clip(track.boxes[t], 0, [511, 287, 511, 287]).astype(int)
            ids[y1:y2, x1:x2] = track.person
            wholebody = np.full((133, 3), np.nan)
            wholebody[list(COCO18), :2] = track.pixels[t]
            wholebody[list(COCO18), 2] = track.scores[t]
            box = np.array([x1, y1, x2, y2, 1.0])
            keypoints[track.person] = PersonKeypoints(box, wholebody)
            bodies[track.person] = PersonBody(
                track.rotmats[t, :1], track.rotmats[t, 1:], track.betas
            )
            feet = map(bool, track.contacts[t])
            touching[track.person] = PersonContact(np.zeros((6890, 1)), *feet)
        labels.append(write_frame(data.masks(name), stem, ids, {one.person: 0.9 for one in tracks}))
        write_keypoints(data.keypoints(name), t + 1, keypoints)
        write_bodies(data.bodies(name), t + 1, bodies)
        if contacts:
            write_contacts(data.contacts(name), stem, touching)
    write_summary(data.masks(name), summarise(labels))
    return Video(data, name)
