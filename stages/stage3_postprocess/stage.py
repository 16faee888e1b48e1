"""stage3-postprocess: gravity up, point clouds and a mesh, for what stage2-megahunter placed."""

from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from stages.artifacts import layout, meshes
from stages.artifacts.calibrated_keypoints import FILE as KEYPOINTS_FILE
from stages.artifacts.calibrated_keypoints import (
    CalibratedKeypoints,
    PersonJoints,
    write_calibrated_keypoints,
)
from stages.artifacts.people_and_world import (
    PeopleAndWorld,
    opened_people_and_world,
    write_people_and_world,
)
from stages.artifacts.world import FrameGroup
from stages.body.joint_names import SMPL45_NAMES
from stages.body.model import load_body
from stages.running import Input, Stage, VideoError
from stages.solving import use_compilation_cache
from stages.stage3_postprocess.clouds import Cloud
from stages.stage3_postprocess.filtering import boxes_around, inside
from stages.stage3_postprocess.geocalib_gravity import FRAMES, GeoCalibGravity, is_installed
from stages.stage3_postprocess.gravity import Up, body_up, level_direction, surface_normals
from stages.stage3_postprocess.levelling import R_zup_from_up
from stages.stage3_postprocess.meshing import place_mesh
from stages.stage3_postprocess.people import joints_of, rotated
from stages.stage3_postprocess.place import Settings, clouds

MEGAHUNTER_FILE = "gravity_calibrated_megahunter.h5"
PELVIS, NECK = 0, 12
GRAVITY_FRAMES = 12


def nksr_is_installed() -> bool:
    """Whether the package `nksr` can be imported."""
    return find_spec("nksr") is not None


@dataclass
class PostprocessStage(Stage):
    """Levels the world and meshes the place. A `video` here is a stem of a megahunter file."""

    megahunter_base_dir: Path
    calibrated_base_dir: Path
    body_model: Path
    settings: Settings
    meshification_method: str
    """nksr or poisson."""
    no_spf: bool
    multihuman: bool

    name = "stage3-postprocess"

    @property
    def output_base_dir(self) -> Path:
        return self.calibrated_base_dir

    def _source(self, video: str) -> Path:
        return self.megahunter_base_dir / f"{video}.h5"

    def inputs(self, video: str) -> list[Input]:
        return [Input(self._source(video), "stage2-megahunter")]

    def outputs(self, video: str) -> list[Path]:
        folder = self.calibrated_base_dir / video
        return [
            folder / name
            for name in (
                KEYPOINTS_FILE,
                MEGAHUNTER_FILE,
                meshes.MESH_FILE,
                meshes.LESS_FILTERED_FILE,
                meshes.MORE_FILTERED_FILE,
            )
        ]

    def parameters(self) -> dict[str, Any]:
        return {
            **self.settings.__dict__,
            "meshification_method": self.meshification_method,
            "no_spf": self.no_spf,
            "multihuman": self.multihuman,
            "gravity": "geocalib" if is_installed() else "people and surfaces",
        }

    def weights(self) -> dict[str, Path]:
        return {"body": self.body_model}

    def notice(self) -> str:
        gravity = "GeoCalib" if is_installed() else "people and the surfaces around them"
        return f"gravity by {gravity}, mesh by {self.meshification_method}"

    def load(self) -> None:
        use_compilation_cache()
        self.body = load_body(self.body_model)
        self.geocalib = GeoCalibGravity() if is_installed() else None

    def run_details(self) -> dict[str, Any]:
        return self.details

    def process(self, video: str) -> str:
        folder = self.calibrated_base_dir / video
        with opened_people_and_world(self._source(video)) as source:
            people = self._chosen(source)
            joints = {person: joints_of(self.body, source.people[person]) for person in people}
            up = self._up(source, people, joints)
            R_zup = self._write_levelled(folder, source, people, joints, up)
            by_frame = _by_frame(source, people, joints, R_zup)
            less, more = clouds(source.world, R_zup, by_frame, self.settings)
        vertices, faces = self._mesh(video, less if self.no_spf else more)
        meshes.write_cloud(folder / meshes.LESS_FILTERED_FILE, less.points, less.colours)
        meshes.write_cloud(folder / meshes.MORE_FILTERED_FILE, more.points, more.colours)
        meshes.write_mesh(folder / meshes.MESH_FILE, vertices, faces)
        self.details = {
            "gravity_method": up.method,
            "gravity_agreement": up.agreement,
            "gravity_spread_deg": up.spread_deg,
            "mesh_method": self.meshification_method,
            "mesh_faces": len(faces),
        }
        return f"up from {up.method} ({up.spread_deg:.1f} deg spread), {len(faces)} triangles"

    def _chosen(self, source: PeopleAndWorld) -> list[int]:
        """Ids of the people to level, the most important first."""
        present = [person for person, motion in source.people.items() if motion.frames]
        ranked = [int(person) for person in source.metadata.get("people_by_area", present)]
        people = [person for person in ranked if person in present] or present
        if not people:
            raise VideoError("stage2-megahunter placed nobody; look at its line in runs.jsonl")
        return people if self.multihuman else people[:1]

    def _up(self, source: PeopleAndWorld, people: list[int], joints: dict[int, np.ndarray]) -> Up:
        world = source.world
        if self.geocalib is not None:
            names = _spread_over(world.names, FRAMES)
            frames = [world[name] for name in names]
            rotations = np.stack([frame.T_world_camera[:3, :3] for frame in frames])
            direction, spread = self.geocalib.up([frame.rgb for frame in frames], rotations)
            return Up(direction, f"GeoCalib on {len(names)} frames", 1.0, spread)
        prior = body_up(
            np.concatenate([joints[person][:, PELVIS] for person in people]),
            np.concatenate([joints[person][:, NECK] for person in people]),
        )
        return level_direction(_normals_near(world, np.concatenate(list(joints.values()))), prior)

    def _write_levelled(
        self,
        folder: Path,
        source: PeopleAndWorld,
        people: list[int],
        joints: dict[int, np.ndarray],
        up: Up,
    ) -> np.ndarray:
        first = source.world[source.world.names[0]]
        R_zup = R_zup_from_up(up.direction, first.T_world_camera[:3, :3]).astype(np.float32)
        move = np.eye(4, dtype=np.float32)
        move[:3, :3] = R_zup
        metadata = {
            **source.metadata,
            "up_axis": "z",
            "units": "m",
            "gravity_method": up.method,
            "people_by_area": people,
        }
        record = CalibratedKeypoints(
            {
                person: PersonJoints(
                    joints[person] @ R_zup.T, R_zup @ source.people[person].R_world_root
                )
                for person in people
            },
            R_zup,
            list(SMPL45_NAMES),
            metadata,
        )
        write_calibrated_keypoints(folder / KEYPOINTS_FILE, record)
        write_people_and_world(
            folder / MEGAHUNTER_FILE,
            source.world,
            {person: rotated(motion, R_zup) for person, motion in source.people.items()},
            lambda points: points @ R_zup.T,
            lambda T_world_camera: move @ T_world_camera,
            frames_as_dataset=True,
            **metadata,
        )
        return R_zup

    def _mesh(self, video: str, cloud: Cloud) -> tuple[np.ndarray, np.ndarray]:
        try:
            if self.meshification_method == "nksr":
                from stages.stage3_postprocess.nksr_meshing import nksr_mesh

                return nksr_mesh(cloud, self.settings.voxel_m)
            return place_mesh(cloud, self.settings.voxel_m)
        except ValueError as error:
            raise VideoError(
                f"{video}: no mesh, because there are {error} around the people; raise "
                "--gradient-thr or use a world method that sees more of the ground"
            ) from None


def _spread_over(names: list[str], count: int) -> list[str]:
    """Up to `count` names, evenly spread, the first among them."""
    positions = np.unique(np.linspace(0, len(names) - 1, min(count, len(names))).round())
    return [names[int(position)] for position in positions]


def _normals_near(world: FrameGroup, joints: np.ndarray) -> np.ndarray:
    """Normals of static surface patches in a box around all people."""
    centres, halves = boxes_around(joints.reshape(1, -1, 3), 1.2)
    found = []
    for name in _spread_over(world.names, GRAVITY_FRAMES):
        frame = world[name]
        valid = (frame.confidence > 0) & frame.measured & ~frame.dynamic
        places, normals = surface_normals(frame.points, valid)
        found.append(normals[inside(places, centres, halves)])
    return np.concatenate(found)


def _by_frame(
    source: PeopleAndWorld, people: list[int], joints: dict[int, np.ndarray], R_zup: np.ndarray
) -> dict[str, np.ndarray]:
    """Joints of all people together, in the z-up world, by frame name."""
    found: dict[str, list[np.ndarray]] = {}
    for person in people:
        for name, points in zip(source.people[person].frames, joints[person], strict=True):
            found.setdefault(name, []).append(points @ R_zup.T)
    return {name: np.concatenate(parts) for name, parts in found.items()}


def megahunter_stems(folder: Path) -> list[str]:
    """Stems of the megahunter files in a folder."""
    if not folder.is_dir():
        return []
    paths = folder.glob("megahunter_*.h5")
    return [path.stem for path in paths if layout.parse_world_name(path)]
