"""`gravity_calibrated_keypoints.h5` (stage 3): SMPL-45 joints in the z-up world."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float32

from stages import catalogue
from stages.artifacts import layout
from stages.artifacts.errors import remedy
from stages.artifacts.h5tree import (
    as_strings,
    created,
    opened,
    put_array,
    put_strings,
    read_attribute,
)

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
        people = {
            int(person): PersonJoints(
                file["joints"][person][:].astype(np.float32).reshape(-1, 45, 3),
                file["root_orient"][person][:].astype(np.float32).reshape(-1, 3, 3),
            )
            for person in sorted(file["joints"], key=int)
        }
        metadata = {name: value for name, value in file.attrs.items() if not name.startswith("/")}
        return CalibratedKeypoints(
            people,
            file["world_rotation"][:].astype(np.float32),
            as_strings(read_attribute(file, "joint_names")),
            metadata,
        )
