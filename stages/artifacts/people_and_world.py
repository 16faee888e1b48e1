"""`output_smpl_and_points/megahunter_<stem>.h5` (stage 2) and its z-up copy (stage 3).

People in metres in one world with the cameras and point maps. In both files the world's frames
lie under `our_pred_world_cameras_and_structure`, the people under `our_pred_humans_smplx_params`.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from jaxtyping import Float32

from stages import catalogue
from stages.artifacts import layout
from stages.artifacts.errors import remedy
from stages.artifacts.float_maps import POINT_LEVELS, put_map, read_map
from stages.artifacts.h5tree import (
    as_strings,
    created,
    is_packed,
    opened,
    put_array,
    put_strings,
    rounded,
)
from stages.artifacts.world import FrameGroup

WORLD = "our_pred_world_cameras_and_structure"
PEOPLE = "our_pred_humans_smplx_params"
FRAMES = "person_frame_info_list"
RANKING = "people_by_area"
"""Attribute: ids of the people, as stage 0 ranked them."""
MADE_BY = catalogue.makers(layout.PEOPLE_AND_WORLD)
MEGAHUNTER_FILE = "gravity_calibrated_megahunter.h5"
"""Stage 3's copy."""


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
    world: FrameGroup,
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
            entry.attrs.update(frame.group.attrs)
            for name, dataset in frame.group.items():
                narrowed = frames_as_dataset and dataset.dtype == np.float64
                changes = name in ("pts3d", "cam2world") or narrowed
                if not changes and is_packed(dataset):
                    entry.copy(dataset, entry, name)  # as it lies there: not unpacked, not packed
                    continue
                if name == "pts3d":
                    put_map(entry, name, rounded(move_points(read_map(dataset))), POINT_LEVELS)
                    continue
                array = dataset[:]
                if name == "cam2world":
                    array = move_camera(array.astype(np.float32)).astype(np.float32)
                elif narrowed:
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


def _read_person(file: h5py.File, person: str) -> PersonMotion:
    entry = file[PEOPLE][person]
    pose = entry["body_pose"][:].astype(np.float32)
    count = len(pose)
    if FRAMES in file and person in file[FRAMES]:
        frames = as_strings(file[FRAMES][person][:])
    else:
        key = f"{FRAMES}/{person}"
        value = file.attrs.get(f"/{key}", file.attrs.get(key, []))
        frames = as_strings(value)
    return PersonMotion(
        frames,
        pose.reshape(count, 23, 3, 3) if count else np.zeros((0, 23, 3, 3), np.float32),
        entry["global_orient"][:].astype(np.float32).reshape(count, 3, 3),
        entry["root_transl"][:].astype(np.float32).reshape(count, 3),
        entry["betas"][:].astype(np.float32).reshape(count, 10),
    )


@contextmanager
def opened_people_and_world(path: Path) -> Iterator[PeopleAndWorld]:
    """Opens a stage-2 or stage-3 file; the world is read lazily, the people at once.

    Raises:
        ArtifactError: missing, damaged, or not such a file.
    """
    with opened(path, remedy(MADE_BY)) as file:
        people = {
            int(person): _read_person(file, person) for person in sorted(file[PEOPLE], key=int)
        }
        metadata = {name: value for name, value in file.attrs.items() if not name.startswith("/")}
        yield PeopleAndWorld(FrameGroup(file[WORLD]), people, metadata)
