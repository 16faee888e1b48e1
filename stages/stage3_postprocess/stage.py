"""stage3-postprocess: gravity up, point clouds and a mesh, for what stage2-megahunter placed."""

from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import click
import cv2
import numpy as np

from stages.artifacts import layout, meshes
from stages.artifacts.calibrated_keypoints import FILE as KEYPOINTS_FILE
from stages.artifacts.calibrated_keypoints import (
    CalibratedKeypoints,
    PersonJoints,
    write_calibrated_keypoints,
)
from stages.artifacts.images import write_image
from stages.artifacts.people_and_world import (
    MADE_BY,
    MEGAHUNTER_FILE,
    RANKING,
    PeopleAndWorld,
    opened_people_and_world,
    write_people_and_world,
)
from stages.artifacts.world import FrameGroup
from stages.body.joint_names import SMPL45_NAMES, smpl45_row
from stages.body.model import load_body
from stages.cameras.upright_edges import Upright, edges_of, mean_up, upright
from stages.drawing.mesh_sides import picture
from stages.running import (
    Input,
    InputPaths,
    PeopleFlags,
    Processed,
    VideoError,
    flag,
    folder,
    stage_command,
)
from stages.running.fingerprints import PICTURES
from stages.running.model_flags import body_flag, fetched_flag
from stages.running.reconstructions import current, names_in, world_flag, world_folders
from stages.solving import use_compilation_cache
from stages.stage3_postprocess.clouds import Cloud
from stages.stage3_postprocess.filtering import boxes_around, inside
from stages.stage3_postprocess.geocalib_gravity import CHECKPOINT as GEOCALIB
from stages.stage3_postprocess.geocalib_gravity import FRAMES, GeoCalibGravity, is_installed
from stages.stage3_postprocess.gravity import Up, body_up, level_direction, surface_normals
from stages.stage3_postprocess.levelling import R_zup_from_up
from stages.stage3_postprocess.meshing import NoSurfaceError, place_mesh
from stages.stage3_postprocess.nksr_meshing import CHECKPOINT as NKSR
from stages.stage3_postprocess.nksr_meshing import FILE as NKSR_FILE
from stages.stage3_postprocess.nksr_meshing import nksr_mesh
from stages.stage3_postprocess.people import joints_of, rotated
from stages.stage3_postprocess.place import Settings, clouds
from stages.weights.remedy import require

PELVIS, NECK = smpl45_row("pelvis"), smpl45_row("neck")
GRAVITY_FRAMES = 12
SOLES = [
    smpl45_row(f"{side}_{part}")
    for side in ("left", "right")
    for part in ("big_toe", "small_toe", "heel")
]


@dataclass(kw_only=True)
class PostprocessStage(PeopleFlags):
    """Turn the world so that gravity points down, and mesh the place around the people.

    Writes one folder a reconstruction: people, cameras and points with z up, two point clouds and
    background_mesh.obj.
    """

    megahunter_base_dir: Path = folder(layout.PEOPLE_AND_WORLD, "Folder of stage 2's files.")
    calibrated_base_dir: Path = folder(
        layout.CALIBRATED,
        "Folder for the levelled results.",
        name="--output-base-dir",
        is_output=True,
    )
    world: str = world_flag()
    is_megasam: bool = flag(
        True, "The world's confidence says only where depth is: any above 0 counts."
    )
    conf_thr: float = flag(0.0, "Lowest confidence, without --is-megasam.")
    gradient_thr: float = flag(
        0.15, "Largest step of the depth between neighbouring pixels, in metres."
    )
    scale_bbox3d: float = flag(
        1.2,
        "Size of the meshed box around the people, in their own size; 4 to 8 m at least and most.",
    )
    meshification_method: str = flag(
        "auto",
        "How the surface is made.",
        kind=click.Choice(["auto", "nksr", "poisson"]),
        shown_default="nksr where it is installed, else poisson",
    )
    voxel_m: float = flag(0.025, "Spacing of the mesh's points, m.", name="--voxel")
    no_spf: bool = flag(False, "Mesh the whole place, not only the people's box.", name="--no-spf")
    body_model: Path = body_flag()
    geocalib_checkpoint: Path = fetched_flag(
        GEOCALIB, "Folder of GeoCalib's checkpoint, where its package is installed.",
        "--geocalib-checkpoint",
    )  # fmt: skip
    nksr_checkpoint: Path = fetched_flag(
        NKSR, "Folder of NKSR's checkpoint, where its package is installed.", "--nksr-checkpoint"
    )

    name = "stage3-postprocess"

    def __post_init__(self) -> None:
        super().__post_init__()
        has_nksr = find_spec("nksr") is not None
        if self.meshification_method == "auto":
            self.meshification_method = "nksr" if has_nksr else "poisson"
        if self.meshification_method == "nksr" and not has_nksr:
            raise VideoError(
                "the package nksr is not installed; use --meshification-method poisson"
            )
        if self.is_megasam:
            self.conf_thr = 0.0

    @property
    def settings(self) -> Settings:
        return Settings(self.gradient_thr, self.conf_thr, self.scale_bbox3d, self.voxel_m)

    @property
    def source_folder(self) -> Path:
        return self.megahunter_base_dir

    def videos_with_input(self) -> list[str]:
        return sorted({name.video for name in names_in(self.megahunter_base_dir)})

    def _stem(self, video: str) -> str:
        folders = [*world_folders(self.data_folder), self.megahunter_base_dir]
        name = current(self.data_folder, folders, video, self.world)
        return name.megahunter_stem if name else f"megahunter_*_{video}_*"

    def variant(self, video: str) -> str:
        folders = [*world_folders(self.data_folder), self.megahunter_base_dir]
        name = current(self.data_folder, folders, video, self.world)
        return name.method if name else ""

    def inputs(self, video: str) -> list[Input]:
        path = self.megahunter_base_dir / f"{self._stem(video)}.h5"
        return [Input("people_and_world", path, MADE_BY)]

    def outputs(self, video: str) -> list[Path]:
        calibrated = self.calibrated_base_dir / self._stem(video)
        return [
            calibrated / name
            for name in (
                KEYPOINTS_FILE,
                MEGAHUNTER_FILE,
                meshes.MESH_FILE,
                meshes.LESS_FILTERED_FILE,
                meshes.MORE_FILTERED_FILE,
            )
        ]

    def parameters(self) -> dict[str, Any]:
        gravity = "geocalib" if is_installed() else "edges, people and surfaces"
        return super().parameters() | {"gravity": gravity}

    def models(self) -> dict[str, Path]:
        """What is used, and not what only lies there."""
        unused = [] if is_installed() else ["geocalib_checkpoint"]
        unused += [] if self.meshification_method == "nksr" else ["nksr_checkpoint"]
        return {field: path for field, path in super().models().items() if field not in unused}

    def notice(self) -> str:
        gravity = "GeoCalib" if is_installed() else "upright edges, people and surfaces"
        return f"gravity by {gravity}, mesh by {self.meshification_method}"

    def load(self) -> None:
        use_compilation_cache()
        self.body = load_body(self.body_model)
        self.geocalib = GeoCalibGravity(self.geocalib_checkpoint) if is_installed() else None
        if self.meshification_method == "nksr":
            require(self.nksr_checkpoint / NKSR_FILE)

    def process(self, video: str, inputs: InputPaths) -> Processed:
        calibrated = self.calibrated_base_dir / self._stem(video)
        with opened_people_and_world(inputs["people_and_world"]) as source:
            people = self._chosen(source)
            joints = {person: joints_of(self.body, source.people[person]) for person in people}
            up = self._up(source, people, joints)
            R_zup = self._write_levelled(calibrated, source, people, joints, up)
            by_frame = _by_frame(source, people, joints, R_zup)
            less, more = clouds(source.world, R_zup, by_frame, self.settings)
        feet = np.concatenate([each[:, SOLES].reshape(-1, 3) for each in joints.values()])
        vertices, faces = self._mesh(video, less if self.no_spf else more, feet @ R_zup.T)
        meshes.write_cloud(calibrated / meshes.LESS_FILTERED_FILE, less.points, less.colours)
        meshes.write_cloud(calibrated / meshes.MORE_FILTERED_FILE, more.points, more.colours)
        meshes.write_mesh(calibrated / meshes.MESH_FILE, vertices, faces)
        return Processed(
            f"up from {up.method} ({up.spread_deg:.1f} deg spread), {len(faces)} triangles",
            {
                "gravity_method": up.method,
                "gravity_agreement": up.agreement,
                "gravity_spread_deg": up.spread_deg,
                "mesh_method": self.meshification_method,
                "mesh_faces": len(faces),
            },
        )

    def draw(self, video: str, inputs: InputPaths) -> None:
        calibrated = self.calibrated_base_dir / self._stem(video)
        mesh = meshes.read_mesh(calibrated / meshes.MESH_FILE)
        with opened_people_and_world(calibrated / MEGAHUNTER_FILE) as found:
            people = {person: found.people[person] for person in self._chosen(found)}
        drawn = picture(*mesh, people, load_body(self.body_model))
        write_image(calibrated / PICTURES / "place.jpg", drawn)

    def _chosen(self, source: PeopleAndWorld) -> list[int]:
        """Ids of the people to level, the most important first."""
        people = source.ranking
        if not people:
            raise VideoError("stage2-megahunter placed nobody; look at its line in runs.jsonl")
        return people[: self.top_k or None] if self.multihuman else people[:1]

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
        if (edges := _upright_edges(world, prior)) is not None:
            method = "upright edges of the place"
            return Up(edges.direction, method, edges.share, edges.spread_deg)
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
            RANKING: people,
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

    def _mesh(self, video: str, cloud: Cloud, feet: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        try:
            if self.meshification_method == "nksr":
                return nksr_mesh(
                    cloud, self.settings.voxel_m, feet, self.nksr_checkpoint / NKSR_FILE
                )
            return place_mesh(cloud, self.settings.voxel_m, feet)
        except NoSurfaceError as error:
            raise VideoError(
                f"{video}: no mesh, because there are {error} around the people; raise "
                "--gradient-thr or use a world method that sees more of the ground"
            ) from None


def _spread_over(names: list[str], count: int) -> list[str]:
    """Up to `count` names, evenly spread, the first among them."""
    positions = np.unique(np.linspace(0, len(names) - 1, min(count, len(names))).round())
    return [names[int(position)] for position in positions]


def _upright_edges(world: FrameGroup, bodies_up: np.ndarray) -> Upright | None:
    """By pictures spread over the video; cameras are about upright, or else people are."""
    pictures = [world[name] for name in _spread_over(world.names, GRAVITY_FRAMES)]
    cameras = np.stack([frame.T_world_camera[:3, :3] for frame in pictures])
    edges = [
        edges_of(cv2.cvtColor(frame.rgb, cv2.COLOR_RGB2GRAY), frame.intrinsic, R, frame.dynamic)
        for frame, R in zip(pictures, cameras, strict=True)
    ]
    return upright(edges, np.stack([bodies_up, mean_up(cameras)]))


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


main = stage_command(PostprocessStage)
