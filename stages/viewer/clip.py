"""One result: the people and robots at once, everything large when it is asked for."""

import zlib
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np
from jaxtyping import Float, Int

from stages.artifacts.calibrated_keypoints import FILE as KEYPOINTS_FILE
from stages.artifacts.calibrated_keypoints import read_calibrated_keypoints
from stages.artifacts.clock import ASSUMED_FPS
from stages.artifacts.contacts import read_contacts
from stages.artifacts.errors import ArtifactError
from stages.artifacts.layout import DataFolder
from stages.artifacts.meshes import MESH_FILE, read_mesh
from stages.artifacts.people_and_world import (
    MEGAHUNTER_FILE,
    PeopleAndWorld,
    opened_people_and_world,
)
from stages.artifacts.robot_motion import (
    MULTI_FILE,
    SINGLE_FILE,
    RobotMotion,
    read_robots,
)
from stages.artifacts.world import WorldFrameView
from stages.viewer.results import Result

CONTACT_PROBABILITY = 0.5
UNREADABLE = (ValueError, OSError, KeyError, IndexError, RuntimeError, zlib.error)
"""What reading a damaged file, or one that has been closed, may raise."""


@dataclass
class Clip:
    """An open result; `close` it. Frames are counted from 0 in the order of their names."""

    result: Result
    file: PeopleAndWorld
    robots: dict[int, list[RobotMotion]]
    """Parts of the motions, by person."""
    problem: str
    """Why there is no robot, else nothing."""
    stack: ExitStack = field(repr=False)

    def close(self) -> None:
        self.stack.close()

    @property
    def names(self) -> list[str]:
        return self.file.world.names

    @cached_property
    def numbers(self) -> list[int]:
        return self.file.world.numbers

    @cached_property
    def row(self) -> dict[int, dict[str, int]]:
        """Where a frame is in a person's motion, by person and frame name."""
        return {
            person: {name: row for row, name in enumerate(motion.frames)}
            for person, motion in self.file.people.items()
        }

    @cached_property
    def fps(self) -> float:
        """Frames of the video a second."""
        times = self.file.world.times_s
        if len(times) > 1:
            return (len(times) - 1) / max(times[-1] - times[0], 1e-6)
        parts = [part for motions in self.robots.values() for part in motions]
        return parts[0].fps if parts else ASSUMED_FPS

    def frame(self, index: int) -> WorldFrameView:
        return self.file.world[self.names[index]]

    @cached_property
    def joints(self) -> dict[int, Float[np.ndarray, "T 45 3"]]:
        """Joints by person, rows as in the person's motion."""
        record = read_calibrated_keypoints(self.result.folder / KEYPOINTS_FILE)
        return {person: motion.joints for person, motion in record.people.items()}

    @cached_property
    def mesh(self) -> tuple[Float[np.ndarray, "V 3"], Int[np.ndarray, "F 3"]]:
        return read_mesh(self.result.folder / MESH_FILE)

    def contacts(self, index: int) -> dict[int, Int[np.ndarray, " N"]]:
        """Vertices that touch something, by person."""
        data = DataFolder(self.result.folder.parent.parent)
        people = read_contacts(data.contacts(self.result.name.video), self.names[index]) or {}
        return {
            person: np.flatnonzero(contact.vertices[:, 0] > CONTACT_PROBABILITY)
            for person, contact in people.items()
        }

    def robot_rows(self, index: int) -> dict[int, tuple[RobotMotion, int]]:
        """The motion and its row of every robot that is there in a frame."""
        found = {}
        for person, parts in self.robots.items():
            for part in parts:
                rows = np.flatnonzero(part.frame_numbers == self.numbers[index])
                if len(rows) and part.present[rows[0]]:
                    found[person] = part, int(rows[0])
        return found


def open_clip(result: Result) -> Clip:
    """Opens a result.

    Raises:
        ArtifactError: it has no people and world yet, or the file is damaged.
    """
    with ExitStack() as stack:
        file = stack.enter_context(opened_people_and_world(result.folder / MEGAHUNTER_FILE))
        if not len(file.world):
            path = result.folder / MEGAHUNTER_FILE
            raise ArtifactError(path, "no frames of a video", "look at it as glb, by make export")
        robots, problem = _robots(result.folder, file)
        return Clip(result, file, robots, problem, stack.pop_all())


def _robots(folder: Path, file: PeopleAndWorld) -> tuple[dict[int, list[RobotMotion]], str]:
    if not any((folder / name).exists() for name in (SINGLE_FILE, MULTI_FILE)):
        return {}, "no robot yet: run stage4-retarget"
    try:
        return read_robots(folder, file.ranking[0] if file.ranking else 1), ""
    except UNREADABLE as error:
        return {}, str(error)
