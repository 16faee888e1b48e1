"""`retarget_poses_g1.h5` and `retarget_poses_g1_multiperson.h5` (stage 4): robot motion.

Rows are uniform in time, and each says which frame of the video it is. A person who is missing for
long has a motion in parts: the longest is `retarget_poses_g1.h5`, the others lie beside it as
`retarget_poses_g1_part<n>.h5`, n counting the parts in order of time.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from jaxtyping import Bool, Float, Float32, Int32

from stages import catalogue
from stages.artifacts import checks, layout
from stages.artifacts.clock import ASSUMED_FPS
from stages.artifacts.errors import remedy
from stages.artifacts.h5tree import Group, as_strings, created, opened, put_array
from stages.artifacts.masks import LARGEST_ID

SINGLE_FILE = "retarget_poses_g1.h5"
MULTI_FILE = "retarget_poses_g1_multiperson.h5"
MADE_BY = catalogue.makers(layout.ROBOT_MOTION)


_PART = re.compile(r"retarget_poses_g1_part(\d+)\.h5")


def part_file(number: int) -> str:
    """The name of a part's file, unless it is the longest."""
    return f"retarget_poses_g1_part{number}.h5"


@dataclass(frozen=True)
class RobotMotion:
    """One robot's motion in the z-up world of the mesh, metres and radians."""

    fps: float
    """Rows a second."""
    joint_names: list[str]
    link_names: list[str]
    joints: Float32[np.ndarray, "T J"]
    root_pos: Float[np.ndarray, "T 3"]
    root_quat_xyzw: Float[np.ndarray, "T 4"]
    link_pos: Float[np.ndarray, "T L 3"]
    link_quat_xyzw: Float[np.ndarray, "T L 4"]
    left_foot: Bool[np.ndarray, " T"]
    right_foot: Bool[np.ndarray, " T"]
    frame_numbers: Int32[np.ndarray, " T"]
    """Number of the video's frame that a row is."""
    times_s: Float[np.ndarray, " T"]
    """Seconds of the video, in steps of 1 / fps."""
    seen: Bool[np.ndarray, " T"]
    """False: the person was not observed in that frame, and the motion was solved through."""
    present: Bool[np.ndarray, " T"]
    """False: the person has no motion then; the row repeats the nearest pose."""
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
    put_array(group, "seen", motion.seen.astype(bool))


def _put_times(file: h5py.File, motion: RobotMotion) -> None:
    put_array(file, "frame_numbers", motion.frame_numbers.astype(np.int32))
    put_array(file, "times_s", motion.times_s.astype(np.float64))


def _put_names(file: h5py.File, motion: RobotMotion) -> None:
    # The simulator reads names with a leading slash, the original's viewers without.
    for slash in ("", "/"):
        for name in ("joint_names", "link_names"):
            file.attrs.create(f"{slash}{name}", getattr(motion, name), dtype=h5py.string_dtype())
        file.attrs[f"{slash}fps"] = float(motion.fps)


def write_robot_motion(path: Path, motion: RobotMotion, **more: Any) -> None:
    """Writes the single-person file that the simulator reads; `more` are further attributes."""
    with created(path) as file:
        _put_motion(file, motion)
        _put_times(file, motion)
        _put_names(file, motion)
        for name, value in {**motion.metadata, **more}.items():
            file.attrs[name] = value


def write_robot_parts(folder: Path, parts: Sequence[RobotMotion]) -> None:
    """Writes the parts of one person's motion, given in order of time, and removes older ones.

    Each file says which `part` it is of how many `parts`, and the first and last frame of all.
    """
    longest = max(range(len(parts)), key=lambda index: len(parts[index].joints))
    ranges = np.array([part.frame_numbers[[0, -1]] for part in parts], np.int32)
    written = set()
    for index, part in enumerate(parts):
        name = SINGLE_FILE if index == longest else part_file(index + 1)
        write_robot_motion(
            folder / name, part, part=index + 1, parts=len(parts), frame_ranges=ranges
        )
        written.add(name)
    for path in _part_paths(folder):
        if path.name not in written:
            path.unlink()


def _part_paths(folder: Path) -> list[Path]:
    return [path for path in folder.iterdir() if _PART.fullmatch(path.name)]


def write_robot_motions(path: Path, motions: dict[int, RobotMotion]) -> None:
    """Writes the multi-person file of people in the order of their ranking.

    A row is one moment for all.

    Raises:
        ValueError: the motions are not of the same frames.
    """
    everybody = list(motions.values())
    if any(not np.array_equal(m.frame_numbers, everybody[0].frame_numbers) for m in everybody):
        raise ValueError("the motions of several people must have the same frames")
    with created(path) as file:
        people = file.create_group("persons")
        for person, motion in motions.items():
            group = people.create_group(str(person))
            _put_motion(group, motion)
            put_array(group, "present", motion.present.astype(bool))
            group.attrs["fps"] = float(motion.fps)
            for name, value in motion.metadata.items():
                group.attrs[name] = value
        if motions:
            _put_names(file, everybody[0])
            _put_times(file, everybody[0])
        file.attrs["people_by_area"] = list(motions)
        file.attrs["robot_name"] = "g1"


def _read_motion(group: Group, root: Group) -> RobotMotion:
    with root.reading("joint_names and link_names"):
        joint_names, link_names = root.attribute("joint_names"), root.attribute("link_names")
        if joint_names is None or link_names is None:
            raise ValueError("missing, expected the names of joints and links")
        joint_names = as_strings(joint_names)
        link_names = [name.removesuffix(".STL") for name in as_strings(link_names)]
    with root.reading("fps"):
        fps = group.attribute("fps")
        fps = root.attribute("fps") if fps is None else fps
        fps = ASSUMED_FPS if fps is None else checks.finite("the rate", fps, 0.01, 10_000)
    joints = group.array("joints", None, len(joint_names)).astype(np.float32)
    count, links = len(joints), len(link_names)

    def foot(name: str) -> np.ndarray:
        if "contacts" not in group or name not in group.group("contacts"):
            return np.zeros(count, bool)
        return group.group("contacts").array(name, count) > 0.5

    def rows(name: str, otherwise: np.ndarray) -> np.ndarray:
        """Of the person, else of all people; the original's files have neither."""
        holder = group if name in group else root
        return holder.array(name, count) if name in holder else otherwise

    known = {"fps", "joint_names", "link_names", "robot_name"}
    motion = RobotMotion(
        fps=fps,
        joint_names=joint_names,
        link_names=link_names,
        joints=joints,
        root_pos=group.array("root_pos", count, 3).astype(np.float64),
        root_quat_xyzw=group.array("root_quat", count, 4).astype(np.float64),
        link_pos=group.array("link_pos", count, links, 3).astype(np.float64),
        link_quat_xyzw=group.array("link_quat", count, links, 4).astype(np.float64),
        left_foot=foot("left_foot"),
        right_foot=foot("right_foot"),
        frame_numbers=rows("frame_numbers", np.arange(1, count + 1, dtype=np.int32)),
        times_s=rows("times_s", np.arange(count) / fps),
        seen=rows("seen", np.ones(count, bool)).astype(bool),
        present=rows("present", np.ones(count, bool)).astype(bool),
        metadata={
            name: each for name, each in group.attributes.items() if name.lstrip("/") not in known
        },
    )
    with group.reading(""):
        _check(motion)
    return motion


def _check(motion: RobotMotion) -> None:
    """Raises ValueError where a motion makes no sense."""
    if not len(motion.joints):
        raise ValueError("no rows, expected a motion")
    checks.within("joints", motion.joints, -100, 100)
    checks.positions_m("root_pos", motion.root_pos)
    checks.positions_m("link_pos", motion.link_pos)
    for name in ("root_quat_xyzw", "link_quat_xyzw"):
        lengths = np.linalg.norm(getattr(motion, name), axis=-1)
        checks.within(f"the length of {name}", lengths, 1e-2, 1e2)
    checks.rising("times_s", motion.times_s)
    if motion.frame_numbers.dtype.kind not in "iu":
        raise ValueError(f"frame_numbers are {motion.frame_numbers.dtype}, expected whole numbers")
    checks.within("frame_numbers", motion.frame_numbers, 0, 1e9)
    checks.within("the step of frame_numbers", np.diff(motion.frame_numbers), 0, 1e9)
    for name in ("part", "parts", "person"):
        if name in motion.metadata:
            checks.whole(name, motion.metadata[name], 0, LARGEST_ID)


def read_robot_motion(path: Path) -> RobotMotion:
    """Reads a single-person file.

    Raises:
        ArtifactError: missing, damaged, without joint and link names, or no motion.
    """
    with opened(path, remedy(MADE_BY)) as file:
        return _read_motion(file, file)


def robot_files(folder: Path) -> list[Path]:
    """All files of robots' motions that are in a folder."""
    paths = [folder / SINGLE_FILE, *sorted(_part_paths(folder)), folder / MULTI_FILE]
    return [path for path in paths if path.exists()]


def read_robot_parts(folder: Path) -> list[RobotMotion]:
    """All parts of the single-person motion in a folder, in order of time.

    Raises:
        ArtifactError: as `read_robot_motion`.
    """
    paths = [folder / SINGLE_FILE, *_part_paths(folder)]
    return sorted(map(read_robot_motion, paths), key=lambda part: part.times_s[0])


def read_robot_motions(path: Path) -> dict[int, RobotMotion]:
    """Reads a multi-person file, people by their ranking, or by id where it has none."""
    with opened(path, remedy(MADE_BY)) as file:
        people = file.group("persons")
        with file.reading("persons"):
            there = sorted(
                people.names, key=lambda name: checks.whole("an id", name, 1, LARGEST_ID)
            )
            ranking = [str(int(each)) for each in file.attributes.get("people_by_area", [])]
        return {
            int(person): _read_motion(people.group(person), file)
            for person in dict.fromkeys([*ranking, *there])
            if person in there
        }


def read_robots(folder: Path, of_single: int = 1) -> dict[int, list[RobotMotion]]:
    """The motions of everybody in a folder, by id, each in its parts in order of time.

    Args:
        of_single: the person of the single-person file, where it does not say.

    Raises:
        ArtifactError: as `read_robot_motion`.
    """
    if (folder / MULTI_FILE).exists():
        everybody = read_robot_motions(folder / MULTI_FILE)
        return {person: [motion] for person, motion in everybody.items()}
    parts = read_robot_parts(folder)
    return {int(parts[0].metadata.get("person", of_single)): parts}
