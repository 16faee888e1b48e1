"""Which motions of a data folder there are to export, as people decided about them."""

from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from pathlib import Path

import numpy as np

from stages.artifacts.curation import Decision, decisions_of
from stages.artifacts.errors import ArtifactError, remedy
from stages.artifacts.layout import CALIBRATED, WorldName
from stages.artifacts.meshes import MADE_BY, MESH_FILE
from stages.artifacts.robot_motion import RobotMotion, read_robots, robot_files
from stages.running.reconstructions import current, names_in

MIN_ROWS = 2
"""Of a motion: velocities need as many."""


@dataclass(frozen=True)
class Clip:
    """One robot's motion without a gap."""

    name: str
    """Of its files."""
    world: WorldName
    motion: RobotMotion
    place: Path


def videos_of(data: Path, pattern: str) -> list[str]:
    """Videos with a robot's motion whose name contains a text, in any case."""
    found = {
        name.video
        for name in names_in(data / CALIBRATED)
        if robot_files(data / CALIBRATED / name.megahunter_stem)
    }
    return sorted(video for video in found if pattern.lower() in video.lower())


def clips_of(data: Path, video: str, method: str, is_curated: bool) -> Iterator[Clip]:
    """The motions of a video: one a person, and of each one a part without gaps.

    Args:
        method: the world method; empty for the preferred one that there is.

    Raises:
        ArtifactError: a file is missing or damaged.
        VideoError: nothing says which of several results it is.
    """
    world = current(data, [data / CALIBRATED], video, method)
    if world is None:
        return
    folder = data / CALIBRATED / world.megahunter_stem
    decision = decisions_of(data).get(video, Decision()) if is_curated else Decision()
    if decision.is_rejected:
        return
    if not (folder / MESH_FILE).is_file():
        raise ArtifactError(folder / MESH_FILE, "missing", remedy(MADE_BY))
    robots = read_robots(folder)
    for person, parts in robots.items():
        if decision.person not in (None, person):
            continue
        pieces = [piece for part in parts for piece in _pieces(part, decision)]
        for number, piece in enumerate(pieces, 1):
            name = (
                video
                + f"_person{person}" * (len(robots) > 1)
                + f"_part{number}" * (len(pieces) > 1)
            )
            yield Clip(name, world, piece, folder / MESH_FILE)


def _pieces(motion: RobotMotion, decision: Decision) -> list[RobotMotion]:
    """The stretches in which a person has a motion, within a trim."""
    frames = motion.frame_numbers - 1  # Decisions count from 0.
    first = decision.first_frame if decision.first_frame is not None else -np.inf
    last = decision.last_frame if decision.last_frame is not None else np.inf
    wanted = motion.present & (frames >= first) & (frames <= last)
    edges = np.flatnonzero(np.diff(np.concatenate([[False], wanted, [False]])))
    stretches = edges.reshape(-1, 2)
    return [_rows(motion, int(a), int(b)) for a, b in stretches if b - a >= MIN_ROWS]


def _rows(motion: RobotMotion, start: int, stop: int) -> RobotMotion:
    count = len(motion.joints)
    cut = {
        each.name: getattr(motion, each.name)[start:stop]
        for each in fields(motion)
        if isinstance(getattr(motion, each.name), np.ndarray)
    }
    return motion if stop - start == count else replace(motion, **cut)
