"""What stage 4 reads for a video: people, their frames' times, contacts, the mesh."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from stages.artifacts import masks, meshes
from stages.artifacts.calibrated_keypoints import (
    FILE,
    MADE_BY,
    CalibratedKeypoints,
    read_calibrated_keypoints,
)
from stages.artifacts.clock import frame_number, read_clock
from stages.artifacts.contacts import read_contacts
from stages.artifacts.errors import ArtifactError, remedy
from stages.artifacts.layout import parse_world_name
from stages.artifacts.people_and_world import opened_people_and_world
from stages.robot.terrain import Terrain
from stages.running import InputPaths
from stages.stage4_retarget.contacts import Flags
from stages.stage4_retarget.gaps import Observed, Part, parts_of, row_step


@dataclass(frozen=True)
class Clip:
    """One video's people and the place."""

    people: dict[int, list[Part]]
    """Everybody who moves, the most important first; parts in order of time."""
    terrain: Terrain
    fps: float
    """Rows a second."""
    remarks: tuple[str, ...]
    """What was missing and what was assumed instead, in words."""


def read_clip(inputs: InputPaths) -> Clip:
    """Everything about one video.

    Raises:
        ArtifactError: keypoints or people's frame names are missing or damaged.
    """
    keypoints = read_calibrated_keypoints(inputs["keypoints"])
    with opened_people_and_world(inputs["people_and_world"]) as world:
        frames = {person: motion.frames for person, motion in world.people.items()}
        clock = read_clock(inputs.get("clock"), world.world.numbers, world.world.times_s)
    ranking, remark = ranked(keypoints, inputs.get("people"))
    remarks = [text for text in (clock.remark, remark) if text]
    observed = {
        person: _observed(inputs, keypoints, person, frames.get(person, [])) for person in ranking
    }
    step = row_step(list(observed.values()), parse_world_name(inputs["keypoints"].parent).stride)
    people = {}
    for person, seen in observed.items():
        parts = parts_of(seen, step, clock)
        rows = [number for part in parts for number in part.frame_numbers]
        alone = np.setdiff1d(seen.frame_numbers, rows)
        if len(alone):
            numbers = ", ".join(map(str, alone))
            remarks.append(f"person {person}: single frames left out: {numbers}")
        if parts:
            people[person] = parts
    terrain = _terrain(inputs.get("mesh"), remarks)
    return Clip(people, terrain, clock.fps / step, tuple(remarks))


def ranked(keypoints: CalibratedKeypoints, summary: Path | None) -> tuple[list[int], str]:
    """Ids of the people with any frame, the most important first, and what that was taken from.

    The order is the file's own; where it has none that of stage 0, else by length, which is said.

    Args:
        summary: `meta_data.json` of stage 0; None if it is not there.
    """
    present = [person for person, motion in keypoints.people.items() if len(motion.joints)]
    by_length = sorted(present, key=lambda person: -len(keypoints.people[person].joints))
    ranking = [int(person) for person in keypoints.metadata.get("people_by_area", [])]
    remark = ""
    if not ranking and len(present) > 1:
        remark = "people are not ranked: the longest motion comes first"
        if summary is not None:
            ranking = list(masks.read_summary(summary.parent).sorted_by_avg_area)
            remark = f"people are ranked by {summary.name}, {FILE} does not say"
    order = dict.fromkeys([*ranking, *by_length])
    return [person for person in order if person in present], remark


def _observed(
    inputs: InputPaths, keypoints: CalibratedKeypoints, person: int, frames: list[str]
) -> Observed:
    motion = keypoints.people[person]
    again = remedy(MADE_BY) + " again"
    if len(frames) != len(motion.joints):
        raise ArtifactError(
            inputs["people_and_world"],
            f"names {len(frames)} frames of person {person}, {FILE} has {len(motion.joints)}",
            again,
        )
    if not np.isfinite(motion.joints).all() or not np.isfinite(motion.R_world_root).all():
        raise ArtifactError(
            inputs["keypoints"], f"person {person} has joints that are no numbers", again
        )
    return Observed(
        np.array([frame_number(frame) for frame in frames]),
        motion.joints,
        motion.R_world_root,
        read_flags(inputs.get("contacts"), frames, person),
    )


def read_flags(folder: Path | None, frames: list[str], person: int) -> Flags:
    """Contact flags of a person in these frames; unknown where a frame's file lacks or omits them.

    The file of a frame is the one of the frame's own name, so flags stay with their frames even
    when the person is missing from some.
    """
    touching, known = np.zeros((len(frames), 2), bool), np.zeros(len(frames), bool)
    for row, frame in enumerate(frames):
        record = read_contacts(folder, frame) if folder else None
        if record is not None and person in record:
            touching[row] = record[person].left_foot, record[person].right_foot
            known[row] = True
    return Flags(touching, known)


def _terrain(path: Path | None, remarks: list[str]) -> Terrain:
    if path is None:
        remarks.append(f"{meshes.MESH_FILE} is missing")
        return Terrain(np.zeros((0, 3)), np.zeros((0, 3), int))
    return Terrain(*meshes.read_mesh(path))
