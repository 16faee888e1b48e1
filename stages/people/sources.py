"""Reads what the earlier stages say of the people of one reconstruction."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float

from stages.artifacts.bodies import PersonBody, read_bodies
from stages.artifacts.clock import Clock, frame_number
from stages.artifacts.contacts import PersonContact, read_contacts
from stages.artifacts.keypoints import PersonKeypoints, read_keypoints
from stages.artifacts.masks import PersonLabel, read_labels
from stages.artifacts.world import FrameGroup
from stages.body.joint_names import COCO18
from stages.body.surface_parts import Vertices
from stages.people.contact_parts import touches
from stages.people.tracks import Cameras, Track


@dataclass(frozen=True)
class Folders:
    """Folders of one video; contacts are not known for all."""

    masks: Path
    keypoints: Path
    bodies: Path
    contacts: Path | None


@dataclass(frozen=True)
class FramePeople:
    """The people of one frame, by id; contacts None where the frame has no file."""

    labels: dict[int, PersonLabel]
    keypoints: dict[int, PersonKeypoints]
    bodies: dict[int, PersonBody]
    contacts: dict[int, PersonContact] | None


def read_cameras(world: FrameGroup, clock: Clock) -> Cameras:
    """Cameras of an open reconstruction; the first frame's affine stands for all."""
    first = world[world.names[0]]
    return Cameras(
        world.intrinsics.astype(np.float64),
        world.Ts_world_camera.astype(np.float64),
        first.affine_original_from_reconstruction,
        clock.times_s(np.array(world.numbers)),
    )


def read_people(names: Iterable[str], folders: Folders) -> list[FramePeople]:
    """Everything but masks, a frame at a time."""
    frames = []
    for name in names:
        number = frame_number(name)
        frames.append(
            FramePeople(
                read_labels(folders.masks, name),
                read_keypoints(folders.keypoints, number),
                read_bodies(folders.bodies, number),
                read_contacts(folders.contacts, name) if folders.contacts else None,
            )
        )
    return frames


def track_of(
    person: int,
    frames: list[FramePeople],
    cameras: Cameras,
    known_betas: Float[np.ndarray, "10"] | None,
    parts: list[Vertices] | None = None,
) -> Track:
    """One person's track; frames count as detected with a body, keypoints and a label.

    The shape is `known_betas`, else the mean over the detected frames. With `parts` of the skin,
    other than feet, the track says which of them are in contact.
    """
    T = len(frames)
    pixels, scores = np.zeros((T, 18, 2)), np.zeros((T, 18))
    boxes = np.tile([0.0, 0.0, 1.0, 1.0], (T, 1))
    rotmats = np.tile(np.eye(3), (T, 24, 1, 1))
    betas, contacts, detected = np.zeros((T, 10)), np.zeros((T, 2), bool), np.zeros(T, bool)
    part_contacts = None if parts is None else np.zeros((T, len(parts)), bool)
    for t, frame in enumerate(frames):
        body, seen = frame.bodies.get(person), frame.keypoints.get(person)
        if body is None or seen is None or person not in frame.labels:
            continue
        detected[t] = True
        rotmats[t, :1], rotmats[t, 1:] = body.R_camera_root, body.body_pose
        betas[t] = body.betas
        keypoints = seen.keypoints[np.array(COCO18)].astype(np.float64)
        known = np.isfinite(keypoints).all(axis=1)
        keypoints = np.where(known[:, None], keypoints, 0.0)
        pixels[t] = cameras.to_reconstruction(keypoints[:, :2])
        scores[t] = np.clip(np.where(known, keypoints[:, 2], 0.0), 0.0, 1.0)
        boxes[t] = _box(cameras, frame.labels[person])
        contact = (frame.contacts or {}).get(person)
        if contact is not None:
            contacts[t] = contact.left_foot, contact.right_foot
            if part_contacts is not None:
                part_contacts[t] = [touches(contact.vertices, part) for part in parts or []]
    if known_betas is not None:
        shape = np.asarray(known_betas, np.float64)
    else:
        shape = betas[detected].mean(axis=0) if detected.any() else np.zeros(10)
    return Track(
        person, detected, detected, pixels, scores, boxes, rotmats, shape, contacts, part_contacts
    )


def _box(cameras: Cameras, label: PersonLabel) -> Float[np.ndarray, "4"]:
    corners = np.array(label.box, np.float64).reshape(2, 2)
    return cameras.to_reconstruction(corners).reshape(4)
