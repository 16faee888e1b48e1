"""`output_smpl_and_points/megahunter_<stem>.h5` (stage 2) and its z-up copy (stage 3).

People in metres in one world with the cameras and point maps. In both files the world's frames
lie under `our_pred_world_cameras_and_structure`, the people under `our_pred_humans_smplx_params`.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from jaxtyping import Float32

from stages import catalogue
from stages.artifacts import checks, layout
from stages.artifacts.clock import frame_number
from stages.artifacts.errors import remedy
from stages.artifacts.float_maps import POINT_LEVELS, put_map
from stages.artifacts.h5tree import (
    Group,
    as_strings,
    created,
    is_packed,
    opened,
    put_array,
    put_strings,
    rounded,
)
from stages.artifacts.masks import LARGEST_ID
from stages.artifacts.world import FrameGroup, WorldFrameView

WORLD = "our_pred_world_cameras_and_structure"
PEOPLE = "our_pred_humans_smplx_params"
FRAMES = "person_frame_info_list"
RANKING = "people_by_area"
"""Attribute: ids of the people, as stage 0 ranked them."""
MADE_BY = catalogue.makers(layout.PEOPLE_AND_WORLD)
MEGAHUNTER_FILE = "gravity_calibrated_megahunter.h5"
"""Stage 3's copy."""
BODY_UNKNOWN = "body_unknown"
"""Attribute: only joints of the people are known, and their poses are the rest pose."""


@dataclass(frozen=True)
class PersonMotion:
    """One person over the frames where they are known, in the file's world, metres."""

    frames: list[str]
    """Names of the frames; row i of every array belongs to frame i."""
    body_pose: Float32[np.ndarray, "T 23 3 3"]
    R_world_root: Float32[np.ndarray, "T 3 3"]
    root_transl: Float32[np.ndarray, "T 3"]
    """World position of the pelvis joint (not SMPL's `transl`)."""
    betas: Float32[np.ndarray, "T 10"]


def write_people_and_world(
    path: Path,
    world: Iterable[WorldFrameView],
    people: dict[int, PersonMotion],
    move_points: Callable[[np.ndarray], np.ndarray],
    move_camera: Callable[[np.ndarray], np.ndarray],
    *,
    frames_as_dataset: bool = False,
    **metadata: Any,
) -> None:
    """Writes all frames of `world`, moved, with the people in it.

    Args:
        world: frames of an open file; copied one at a time.
        people: by id.
        move_points: takes float32 (H, W, 3) world points to the new world.
        move_camera: takes float32 (4, 4) T_world_camera to the new world.
        frames_as_dataset: stage 3 stores the frame names as data sets, stage 2 as attributes.
        metadata: attributes without a leading slash, such as `scale`.
    """
    with created(path) as file:
        structure = file.create_group(WORLD)
        for frame in world:
            entry = structure.create_group(frame.name)
            entry.attrs.update(frame.group.attributes)
            for name, dataset in frame.group.datasets():
                narrowed = frames_as_dataset and dataset.dtype == np.float64
                changes = name in ("pts3d", "cam2world") or narrowed
                if not changes and is_packed(dataset):
                    entry.copy(dataset, entry, name)  # as it lies there: not unpacked, not packed
                    continue
                if name == "pts3d":
                    put_map(entry, name, rounded(move_points(frame.points)), POINT_LEVELS)
                    continue
                if name == "cam2world":
                    array = move_camera(frame.T_world_camera).astype(np.float32)
                else:
                    array = frame.group.array(name)
                if narrowed and name != "cam2world":
                    array = array.astype(np.float32)
                put_array(entry, name, array)
        group, frame_lists = file.create_group(PEOPLE), file.create_group(FRAMES)
        for person, motion in people.items():
            count = len(motion.frames)
            entry = group.create_group(str(person))
            put_array(entry, "body_pose", motion.body_pose.astype(np.float32))
            orient = motion.R_world_root.astype(np.float32).reshape(count, 1, 3, 3)
            put_array(entry, "global_orient", orient)
            transl = motion.root_transl.astype(np.float32).reshape(count, 1, 3)
            put_array(entry, "root_transl", transl)
            put_array(entry, "betas", motion.betas.astype(np.float32))
            names = np.array(motion.frames, dtype=object).reshape(count, 1)
            if frames_as_dataset:
                frame_lists.create_dataset(str(person), data=names, dtype=h5py.string_dtype())
            elif count:
                put_strings(file, f"/{FRAMES}/{person}", names)
        for name, value in metadata.items():
            file.attrs[name] = value


@dataclass(frozen=True)
class PeopleAndWorld:
    """An open file."""

    world: FrameGroup
    people: dict[int, PersonMotion]
    """By id, in the order of the ids' numbers."""
    metadata: dict[str, Any]
    """Attributes without a leading slash."""

    @property
    def ranking(self) -> list[int]:
        """Ids of the people with any frame, as stage 0 ranked them; by number where no file says
        how."""
        present = [person for person, motion in self.people.items() if motion.frames]
        ranked = [int(person) for person in self.metadata.get(RANKING, [])]
        return [person for person in ranked if person in present] or present


def _read_person(file: Group, person: str) -> PersonMotion:
    entry = file.group(PEOPLE).group(person)
    pose = entry.array("body_pose").astype(np.float32)
    count = len(pose) if pose.ndim else 0
    if FRAMES in file and person in file.group(FRAMES):
        frames = file.group(FRAMES).strings(person)
    else:
        value = file.attribute(f"{FRAMES}/{person}")
        frames = as_strings([] if value is None else value)

    def rows(name: str, *shape: int) -> np.ndarray:
        values = entry.array(name).astype(np.float32)
        with entry.reading(name):
            return values.reshape(count, *shape)

    motion = PersonMotion(
        frames,
        rows("body_pose", 23, 3, 3),
        rows("global_orient", 3, 3),
        rows("root_transl", 3),
        rows("betas", 10),
    )
    with entry.reading(""):
        checks.within("body_pose", motion.body_pose, -1.1, 1.1)
        checks.within("global_orient", motion.R_world_root, -1.1, 1.1)
        checks.positions_m("root_transl", motion.root_transl)
        checks.within("betas", motion.betas, -checks.LARGEST_BETA, checks.LARGEST_BETA)
        if len(frames) != count or len(set(frames)) != count:
            raise ValueError(f"{len(frames)} frames, expected {count} different ones")
        if count:
            checks.rising(
                "the number of a frame", np.array([frame_number(each) for each in frames])
            )
    return motion


@contextmanager
def opened_people_and_world(path: Path) -> Iterator[PeopleAndWorld]:
    """Opens a stage-2 or stage-3 file; the world is read lazily, the people at once.

    Raises:
        ArtifactError: missing, damaged, or not such a file.
    """
    with opened(path, remedy(MADE_BY)) as file:
        world, everybody = FrameGroup(file.group(WORLD)), file.group(PEOPLE)
        with everybody.reading(""):
            ids = sorted(
                checks.whole("the id of a person", name, 1, LARGEST_ID) for name in everybody.names
            )
        people = {person: _read_person(file, str(person)) for person in ids}
        with file.reading(RANKING):
            for person in file.attributes.get(RANKING, []):
                checks.whole("the id of a person", person, 1, LARGEST_ID)
        yield PeopleAndWorld(world, people, file.metadata)
