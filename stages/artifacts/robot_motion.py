"""`retarget_poses_g1.h5` and `retarget_poses_g1_multiperson.h5` (stage 4): robot motion."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from jaxtyping import Bool, Float, Float32

from stages.artifacts.errors import ArtifactError
from stages.artifacts.h5tree import as_strings, created, opened, put_array, read_attribute

SINGLE_FILE = "retarget_poses_g1.h5"
MULTI_FILE = "retarget_poses_g1_multiperson.h5"
MADE_BY = "stage4-retarget"


@dataclass(frozen=True)
class RobotMotion:
    """One robot's motion in the z-up world of the mesh, metres and radians."""

    fps: float
    joint_names: list[str]
    link_names: list[str]
    joints: Float32[np.ndarray, "T J"]
    root_pos: Float[np.ndarray, "T 3"]
    root_quat_xyzw: Float[np.ndarray, "T 4"]
    link_pos: Float[np.ndarray, "T L 3"]
    link_quat_xyzw: Float[np.ndarray, "T L 4"]
    left_foot: Bool[np.ndarray, " T"]
    right_foot: Bool[np.ndarray, " T"]
    metadata: dict[str, Any] = field(default_factory=dict)
    """Attributes beside the contract's: method, versions, final residuals."""


def _put_motion(group: h5py.Group, motion: RobotMotion) -> None:
    put_array(group, "joints", motion.joints.astype(np.float32))
    put_array(group, "root_pos", motion.root_pos.astype(np.float64))
    put_array(group, "root_quat", motion.root_quat_xyzw.astype(np.float64))
    put_array(group, "link_pos", motion.link_pos.astype(np.float64))
    put_array(group, "link_quat", motion.link_quat_xyzw.astype(np.float64))
    contacts = group.create_group("contacts")
    put_array(contacts, "left_foot", motion.left_foot.astype(bool))
    put_array(contacts, "right_foot", motion.right_foot.astype(bool))


def _put_names(file: h5py.File, motion: RobotMotion) -> None:
    # The simulator reads names with a leading slash, the original's viewers without.
    for slash in ("", "/"):
        for name in ("joint_names", "link_names"):
            file.attrs.create(f"{slash}{name}", getattr(motion, name), dtype=h5py.string_dtype())
        file.attrs[f"{slash}fps"] = float(motion.fps)


def write_robot_motion(path: Path, motion: RobotMotion) -> None:
    """Writes the single-person file that the simulator reads."""
    with created(path) as file:
        _put_motion(file, motion)
        _put_names(file, motion)
        for name, value in motion.metadata.items():
            file.attrs[name] = value


def write_robot_motions(path: Path, motions: dict[int, RobotMotion]) -> None:
    """Writes the multi-person file."""
    with created(path) as file:
        people = file.create_group("persons")
        for person, motion in motions.items():
            group = people.create_group(str(person))
            _put_motion(group, motion)
            group.attrs["fps"] = float(motion.fps)
            for name, value in motion.metadata.items():
                group.attrs[name] = value
        if motions:
            _put_names(file, next(iter(motions.values())))
        file.attrs["robot_name"] = "g1"


def _read_motion(group: h5py.Group, root: h5py.File, path: Path) -> RobotMotion:
    count = len(group["joints"])
    contacts = group.get("contacts", {})

    def foot(name: str) -> np.ndarray:
        return np.asarray(contacts[name][:]) > 0.5 if name in contacts else np.zeros(count, bool)

    joint_names = read_attribute(root, "joint_names")
    link_names = read_attribute(root, "link_names")
    if joint_names is None or link_names is None:
        raise ArtifactError(path, "names neither its joints nor its links", f"run {MADE_BY}")
    fps = read_attribute(group, "fps")
    if fps is None:
        fps = read_attribute(root, "fps")
    known = {"fps", "joint_names", "link_names", "robot_name"}
    return RobotMotion(
        fps=30.0 if fps is None else float(fps),
        joint_names=as_strings(joint_names),
        link_names=[name.removesuffix(".STL") for name in as_strings(link_names)],
        joints=group["joints"][:].astype(np.float32),
        root_pos=group["root_pos"][:].astype(np.float64),
        root_quat_xyzw=group["root_quat"][:].astype(np.float64),
        link_pos=group["link_pos"][:].astype(np.float64),
        link_quat_xyzw=group["link_quat"][:].astype(np.float64),
        left_foot=foot("left_foot"),
        right_foot=foot("right_foot"),
        metadata={
            name: value for name, value in group.attrs.items() if name.lstrip("/") not in known
        },
    )


def read_robot_motion(path: Path) -> RobotMotion:
    """Reads a single-person file.

    Raises:
        ArtifactError: missing, damaged, or without joint and link names.
    """
    with opened(path, MADE_BY) as file:
        return _read_motion(file, file, path)


def read_robot_motions(path: Path) -> dict[int, RobotMotion]:
    """Reads a multi-person file, people in the order of their ids' numbers."""
    with opened(path, MADE_BY) as file:
        people = file["persons"]
        return {
            int(person): _read_motion(people[person], file, path)
            for person in sorted(people, key=int)
        }
