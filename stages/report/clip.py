"""What the pictures of one clip are drawn from; each part is read when it is asked for."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import numpy as np

from stages.artifacts import layout
from stages.artifacts.comparison import Compared
from stages.artifacts.errors import ArtifactError, remedy
from stages.artifacts.images import ImageFile, list_images
from stages.artifacts.layout import DataFolder
from stages.artifacts.meshes import MADE_BY as MESH_MADE_BY
from stages.artifacts.meshes import MESH_FILE, read_mesh
from stages.artifacts.people_and_world import (
    MEGAHUNTER_FILE,
    PeopleAndWorld,
    opened_people_and_world,
)
from stages.artifacts.robot_motion import RobotMotion, read_robots, robot_files
from stages.artifacts.verdicts import Judged
from stages.body.model import DEMO_BODY, BodyModel, load_body
from stages.running.fingerprints import files_in
from stages.running.reconstructions import current

body_of = cache(load_body)
"""Read once, before the processes that draw begin."""


@dataclass(frozen=True)
class Clip:
    """A video of a data folder. Whatever is missing raises an ArtifactError that says so.

    entries: the last entry of each stage about this video in the ledger, in the chain's order.
    judged: the verdict on the result that there is now. compared: with ground truth, by measure.
    body_model: the file of the body that stages used.
    """

    data: DataFolder
    video: str
    entries: dict[str, dict[str, Any]]
    judged: Judged | None = None
    compared: dict[str, Compared] = field(default_factory=dict)
    body_model: Path = DEMO_BODY

    @cached_property
    def images(self) -> list[ImageFile]:
        return list_images(self.data.images(self.video))

    @property
    def body(self) -> BodyModel:
        return body_of(self.body_model)

    @cached_property
    def folder(self) -> Path:
        """Of stage 3's results."""
        root = self.data.root
        name = current(root, [root / layout.CALIBRATED], self.video)
        if name is None:
            raise ArtifactError(
                root / layout.CALIBRATED,
                f"nothing of {self.video}",
                remedy(MESH_MADE_BY),
            )
        return root / layout.CALIBRATED / name.megahunter_stem

    @cached_property
    def mesh(self) -> tuple[np.ndarray, np.ndarray]:
        return read_mesh(self.folder / MESH_FILE)

    @cached_property
    def robots(self) -> dict[int, list[RobotMotion]]:
        """Motions of the robots by person, each in its parts."""
        return read_robots(self.folder)

    @contextmanager
    def people_and_world(self) -> Iterator[PeopleAndWorld]:
        """People and cameras in the z-up world."""
        with opened_people_and_world(self.folder / MEGAHUNTER_FILE) as file:
            yield file

    def files(self) -> list[Path]:
        """All that the pictures are made of."""
        data, video = self.data, self.video
        folders = [data.images(video), data.masks(video), data.keypoints(video)]
        folders.append(data.contacts(video))
        found = [self.body_model]
        try:
            # The viewer puts files of its own into the same folder.
            found += [self.folder / MEGAHUNTER_FILE, self.folder / MESH_FILE]
            found += robot_files(self.folder)
        except Exception:  # The pictures say why.
            pass
        found += [file for folder in folders if folder.is_dir() for file in files_in(folder)]
        return [file for file in found if file.is_file()]
