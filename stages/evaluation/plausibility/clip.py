"""One video of a data folder, with whatever stages have made of it."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Float

from stages import catalogue
from stages.artifacts import layout
from stages.artifacts.calibrated_keypoints import FILE as JOINTS_FILE
from stages.artifacts.calibrated_keypoints import read_calibrated_keypoints
from stages.artifacts.clock import Clock, frame_number, read_clock
from stages.artifacts.contacts import read_contacts
from stages.artifacts.errors import ArtifactError, remedy
from stages.artifacts.images import TIMES_FILE, list_images
from stages.artifacts.keypoints import PersonKeypoints, read_keypoints
from stages.artifacts.layout import DataFolder, WorldName
from stages.artifacts.masks import PersonLabel, read_labels, read_summary
from stages.artifacts.meshes import MESH_FILE, read_mesh
from stages.artifacts.people_and_world import (
    MADE_BY,
    MEGAHUNTER_FILE,
    PeopleAndWorld,
    PersonMotion,
    opened_people_and_world,
)
from stages.artifacts.robot_motion import (
    MULTI_FILE,
    SINGLE_FILE,
    RobotMotion,
    read_robot_motions,
    read_robot_parts,
)
from stages.body.model import DEMO_BODY, BodyModel, load_body
from stages.body.skin import forward_kinematics
from stages.evaluation.plausibility.measured import NotMeasuredError
from stages.evaluation.plausibility.second_look import Look, looks_of
from stages.people.contacts import filter_contacts
from stages.robot.terrain import Terrain
from stages.running.model_flags import BODY_VARIABLE
from stages.running.people_method import people_method
from stages.running.reconstructions import current, world_folders

LEFT_FOOT, RIGHT_FOOT = (29, 31), (32, 34)
"""Big toe and heel in SMPL-45."""
ANKLES = (7, 8)


@dataclass(frozen=True)
class Views:
    """Cameras of the frames of a reconstruction, in the world of its people, metres."""

    names: list[str]
    intrinsics: Float[np.ndarray, "T 3 3"]
    Ts_world_camera: Float[np.ndarray, "T 4 4"]
    affine_original_from_reconstruction: Float[np.ndarray, "2 3"]

    @cached_property
    def place(self) -> dict[str, int]:
        return {name: place for place, name in enumerate(self.names)}

    def project(self, points_m: Float[np.ndarray, "N 3"], frame: str) -> Float[np.ndarray, "N 2"]:
        """Pixels of the original image; NaN behind the camera."""
        place = self.place[frame]
        T_world_camera = self.Ts_world_camera[place]
        local = (points_m - T_world_camera[:3, 3]) @ T_world_camera[:3, :3]
        depth = np.where(local[:, 2:] > 0.01, local[:, 2:], np.nan)
        pixels = (local / depth) @ self.intrinsics[place].T
        A = self.affine_original_from_reconstruction
        return pixels[:, :2] @ A[:, :2].T + A[:, 2]


@dataclass(frozen=True)
class Clip:
    """Whatever is missing raises an ArtifactError that says so, when it is asked for."""

    data: DataFolder
    video: str

    @cached_property
    def image_paths(self) -> dict[str, Path]:
        """By name."""
        return {image.name: image.path for image in list_images(self.data.images(self.video))}

    @property
    def frames(self) -> list[str]:
        """Names of all frames."""
        return list(self.image_paths)

    @cached_property
    def clock(self) -> Clock:
        path = self.data.images(self.video) / TIMES_FILE
        return read_clock(path if path.exists() else None)

    def times_s(self, frames: list[str]) -> Float[np.ndarray, " T"]:
        return self.clock.times_s(np.array([frame_number(name) for name in frames]))

    @cached_property
    def labels(self) -> list[dict[int, PersonLabel]]:
        folder = self.data.masks(self.video)
        return [read_labels(folder, name) for name in self.frames]

    @cached_property
    def keypoints(self) -> dict[str, dict[int, PersonKeypoints]]:
        folder = self.data.keypoints(self.video)
        return {name: read_keypoints(folder, frame_number(name)) for name in self.frames}

    @cached_property
    def people(self) -> list[int]:
        """Those whom the later stages followed; before these the largest one."""
        try:
            if self.motions:
                return list(self.motions)
        except ArtifactError:
            pass
        largest = read_summary(self.data.masks(self.video)).largest_area_id
        return [] if largest is None else [largest]

    @cached_property
    def second_looks(self) -> dict[int, dict[str, Look]]:
        """BlazePose's own, by person and frame.

        Raises:
            NotMeasuredError: it has found the people itself, cannot be run here, or sees too
                little of them.
        """
        if people_method(self.data.root, self.video) == catalogue.BLAZEPOSE:
            raise NotMeasuredError("BlazePose found these people itself and cannot judge them")
        labels = dict(zip(self.frames, self.labels, strict=True))
        frames = {person: self.followed(person) for person in self.people}
        return looks_of(self.image_paths, labels, self.data.masks(self.video), frames)

    def followed(self, person: int) -> list[str]:
        """Names of the frames in which the later stages have the person; before these all."""
        try:
            return self.motions[person].frames
        except (ArtifactError, KeyError):
            return self.frames

    @cached_property
    def body(self) -> BodyModel:
        return load_body(os.environ.get(BODY_VARIABLE) or DEMO_BODY)

    @cached_property
    def name(self) -> WorldName:
        """The reconstruction that is judged."""
        root = self.data.root
        folders = [root / layout.CALIBRATED, root / layout.PEOPLE_AND_WORLD, *world_folders(root)]
        found = current(root, folders, self.video)
        if found is None:
            raise ArtifactError(root, f"no reconstruction of {self.video}", "make stage1-sfm")
        return found

    @property
    def world_file(self) -> Path:
        return self.data.root / layout.world_folder(self.name.method) / f"{self.name.stem}.h5"

    @property
    def folder(self) -> Path:
        """Of the results of stages 3 and 4."""
        return self.data.root / layout.CALIBRATED / self.name.megahunter_stem

    @property
    def is_levelled(self) -> bool:
        """Whether up is z."""
        return (self.folder / MEGAHUNTER_FILE).exists()

    @contextmanager
    def people_and_world(self) -> Iterator[PeopleAndWorld]:
        of_stage_2 = self.data.root / layout.PEOPLE_AND_WORLD / f"{self.name.megahunter_stem}.h5"
        path = self.folder / MEGAHUNTER_FILE if self.is_levelled else of_stage_2
        with opened_people_and_world(path) as file:
            yield file

    @cached_property
    def views(self) -> Views:
        with self.people_and_world() as file:
            world = file.world
            return Views(
                world.names,
                world.intrinsics.astype(np.float64),
                world.Ts_world_camera.astype(np.float64),
                world[world.names[0]].affine_original_from_reconstruction,
            )

    @cached_property
    def motions(self) -> dict[int, PersonMotion]:
        """By person, as ranked."""
        with self.people_and_world() as file:
            return {person: file.people[person] for person in file.ranking}

    @cached_property
    def joints(self) -> dict[int, Float[np.ndarray, "T J 3"]]:
        """SMPL-45, or before stage 3 SMPL-24, in the world of `motions`; rows as theirs."""
        if self.is_levelled:
            record = read_calibrated_keypoints(self.folder / JOINTS_FILE)
            return {
                person: record.people[person].joints.astype(np.float64)
                for person in self.motions
                if person in record.people
            }
        return {person: self.posed_joints(motion) for person, motion in self.motions.items()}

    def posed_joints(self, motion: PersonMotion) -> Float[np.ndarray, "T 24 3"]:
        rotmats = np.concatenate([motion.R_world_root[:, None], motion.body_pose], axis=1)
        rest = self.body.rest_joints(motion.betas.mean(0))
        return forward_kinematics(rotmats, rest, motion.root_transl)[1]

    def feet(self, person: int) -> Float[np.ndarray, "T 2 2 3"]:
        """Big toe and heel of the left and the right foot."""
        if not self.is_levelled:
            raise ArtifactError(self.folder, "missing", remedy(MADE_BY))
        return self.joints[person][:, np.array([LEFT_FOOT, RIGHT_FOOT])]

    @cached_property
    def contacts(self) -> dict[int, Bool[np.ndarray, "T 2"]]:
        """Feet that touch the ground, by person; without those that move too fast for it."""
        folder = self.data.contacts(self.video)
        said = {name: read_contacts(folder, name) or {} for name in self.views.names}
        found = {}
        for person, joints in self.joints.items():
            frames = self.motions[person].frames
            touching = np.zeros((len(frames), 2), bool)
            for row, name in enumerate(frames):
                if entry := said[name].get(person):
                    touching[row] = entry.left_foot, entry.right_foot
            found[person] = filter_contacts(touching, joints[:, ANKLES], self.times_s(frames))
        return found

    @cached_property
    def terrain(self) -> Terrain:
        return Terrain(*read_mesh(self.folder / MESH_FILE))

    @cached_property
    def robots(self) -> dict[int, list[RobotMotion]]:
        """Parts of the robots' motions, by person."""
        if (self.folder / MULTI_FILE).exists():
            everybody = read_robot_motions(self.folder / MULTI_FILE)
            return {person: [motion] for person, motion in everybody.items()}
        if not (self.folder / SINGLE_FILE).exists():
            raise ArtifactError(self.folder / SINGLE_FILE, "missing", "run stage4-retarget")
        parts = read_robot_parts(self.folder)
        first = next(iter(self.motions))
        return {int(parts[0].metadata.get("person", first)): parts}
