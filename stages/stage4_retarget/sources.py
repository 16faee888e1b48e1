"""What stage 4 reads for a video: people, their frames' times, contacts, the mesh."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from stages.artifacts import layout, masks, meshes
from stages.artifacts.calibrated_keypoints import (
    FILE,
    CalibratedKeypoints,
    read_calibrated_keypoints,
)
from stages.artifacts.contacts import read_contacts
from stages.artifacts.errors import ArtifactError
from stages.artifacts.images import read_times
from stages.artifacts.layout import DataFolder, parse_world_name
from stages.artifacts.people_and_world import opened_people_and_world
from stages.robot.terrain import Terrain
from stages.stage4_retarget.contacts import Flags
from stages.stage4_retarget.retarget import Person

MEGAHUNTER_FILE = "gravity_calibrated_megahunter.h5"
# The rate that is assumed where no record of the true one lies beside the frames.
ASSUMED_FPS = 30.0


@dataclass(frozen=True)
class Clip:
    """One video's people, the most important first, and the place."""

    people: dict[int, Person]
    terrain: Terrain
    fps: float
    remarks: tuple[str, ...]
    """What was missing and what was assumed instead, in words."""


def read_clip(folder: Path, contact_base_dir: Path) -> Clip:
    """Everything about one calibrated folder (`output_calib_mesh/<megahunter stem>`).

    Contacts come from `contact_base_dir/<video>/cam01`; the true frame rate and the order of
    people from the folders beside it, where these exist.

    Raises:
        ArtifactError: keypoints or people's frame names are missing or damaged.
    """
    name = parse_world_name(folder)
    data = DataFolder(contact_base_dir.parent)
    keypoints = read_calibrated_keypoints(folder / FILE)
    with opened_people_and_world(folder / MEGAHUNTER_FILE) as world:
        frames = {person: motion.frames for person, motion in world.people.items()}
    remarks: list[str] = []
    times = read_times(data.images(name.video))
    if times is None:
        remarks.append(f"the frame rate is not recorded: taken for {ASSUMED_FPS:g}")
    rate = ASSUMED_FPS if times is None else times.fps
    contacts = contact_base_dir / name.video / layout.CAMERA
    people = {}
    for person in people_by_area(keypoints, data.masks(name.video)):
        people[person] = _person(folder, keypoints, person, frames.get(person, []), rate, contacts)
    return Clip(people, _terrain(folder, remarks), rate / name.stride, tuple(remarks))


def people_by_area(keypoints: CalibratedKeypoints, masks_folder: Path) -> list[int]:
    """Ids of the people with any frame, those largest in the picture first."""
    present = [person for person, motion in keypoints.people.items() if len(motion.joints)]
    ranked = [int(person) for person in keypoints.metadata.get("people_by_area", [])]
    if not ranked and masks.summary_path(masks_folder).exists():
        ranked = list(masks.read_summary(masks_folder).sorted_by_avg_area)
    by_length = sorted(present, key=lambda person: -len(keypoints.people[person].joints))
    return [person for person in dict.fromkeys([*ranked, *by_length]) if person in present]


def _person(
    folder: Path,
    keypoints: CalibratedKeypoints,
    person: int,
    frames: list[str],
    rate: float,
    contacts: Path,
) -> Person:
    motion = keypoints.people[person]
    if len(frames) != len(motion.joints):
        raise ArtifactError(
            folder / MEGAHUNTER_FILE,
            f"names {len(frames)} frames of person {person}, {FILE} has {len(motion.joints)}",
            "run stage3-postprocess again",
        )
    numbers = np.array([int(frame.split("_")[-1]) for frame in frames])
    return Person(
        motion.joints,
        motion.R_world_root,
        (numbers - numbers[0]) / rate,
        read_flags(contacts, frames, person),
    )


def read_flags(folder: Path, frames: list[str], person: int) -> Flags:
    """Contact flags of a person in these frames; unknown where a frame's file lacks or omits them.

    The file of a frame is the one of the frame's own name, so flags stay with their frames even
    when the person is missing from some.
    """
    touching, known = np.zeros((len(frames), 2), bool), np.zeros(len(frames), bool)
    for row, frame in enumerate(frames):
        record = read_contacts(folder, frame)
        if record is not None and person in record:
            touching[row] = record[person].left_foot, record[person].right_foot
            known[row] = True
    return Flags(touching, known)


def _terrain(folder: Path, remarks: list[str]) -> Terrain:
    path = folder / meshes.MESH_FILE
    if not path.exists():
        remarks.append(f"{meshes.MESH_FILE} is missing")
        return Terrain(np.zeros((0, 3)), np.zeros((0, 3), int))
    return Terrain(*meshes.read_mesh(path))
