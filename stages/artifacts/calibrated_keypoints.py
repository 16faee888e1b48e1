"""`gravity_calibrated_keypoints.h5` (stage 3): SMPL-45 joints in the z-up world."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float32

from stages import catalogue
from stages.artifacts import checks, layout
from stages.artifacts.errors import remedy
from stages.artifacts.h5tree import (
    Group,
    as_strings,
    created,
    opened,
    put_array,
    put_strings,
)
from stages.artifacts.masks import LARGEST_ID

FILE = "gravity_calibrated_keypoints.h5"
MADE_BY = catalogue.makers(layout.CALIBRATED)


@dataclass(frozen=True)
class PersonJoints:
    """One person over their frames, z-up world, metres."""

    joints: Float32[np.ndarray, "T 45 3"]
    R_world_root: Float32[np.ndarray, "T 3 3"]
    """SMPL root axes (y up, z forward, x left) to the world."""


@dataclass(frozen=True)
class CalibratedKeypoints:
    """All people, with the rotation that took the stage-2 world to gravity's."""

    people: dict[int, PersonJoints]
    R_zup_stage2: Float32[np.ndarray, "3 3"]
    joint_names: list[str]
    metadata: dict[str, Any]


def write_calibrated_keypoints(path: Path, record: CalibratedKeypoints) -> None:
    with created(path) as file:
        joints, orient = file.create_group("joints"), file.create_group("root_orient")
        for person, motion in record.people.items():
            put_array(joints, str(person), motion.joints.astype(np.float32))
            count = len(motion.joints)
            rotations = motion.R_world_root.astype(np.float32).reshape(count, 1, 3, 3)
            put_array(orient, str(person), rotations)
        put_array(file, "world_rotation", record.R_zup_stage2.astype(np.float32))
        put_strings(file, "/joint_names", record.joint_names)
        for name, value in record.metadata.items():
            file.attrs[name] = value


def read_calibrated_keypoints(path: Path) -> CalibratedKeypoints:
    """Reads the file.

    Raises:
        ArtifactError: missing, damaged, or lacking an entry.
    """
    with opened(path, remedy(MADE_BY)) as file:
        people = {int(name): _read_joints(file, name) for name in _ids(file.group("joints"))}
        rotation = file.array("world_rotation", 3, 3).astype(np.float32)
        with file.reading("world_rotation"):
            checks.rotations("it", rotation)
        with file.reading("joint_names"):
            names = as_strings(file.attribute("joint_names"))
        return CalibratedKeypoints(people, rotation, names, file.metadata)


def _ids(people: Group) -> list[str]:
    with people.reading(""):
        return sorted(people.names, key=lambda name: checks.whole("an id", name, 1, LARGEST_ID))


def _read_joints(file: Group, person: str) -> PersonJoints:
    joints = file.group("joints").array(person, None, 45, 3).astype(np.float32)
    turns = file.group("root_orient").array(person).astype(np.float32)
    with file.reading(f"root_orient/{person}"):
        turns = checks.rotations("it", turns.reshape(len(joints), 3, 3))
    with file.reading(f"joints/{person}"):
        return PersonJoints(checks.positions_m("it", joints), turns)
