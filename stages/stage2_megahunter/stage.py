"""stage2-megahunter: people and place in one metric world."""

from dataclasses import dataclass
from pathlib import Path

import click
import numpy as np
from jaxtyping import Float, Float32

from stages.artifacts import layout
from stages.artifacts.bodies import BETAS_FILE, read_betas
from stages.artifacts.clock import read_clock
from stages.artifacts.images import write_image
from stages.artifacts.layout import parse_world_name
from stages.artifacts.masks import read_summary
from stages.artifacts.people_and_world import (
    RANKING,
    PersonMotion,
    opened_people_and_world,
    write_people_and_world,
)
from stages.artifacts.soundness import lacking
from stages.artifacts.video_notes import VideoNotes, notes_path, read_notes
from stages.artifacts.world import FrameGroup, heights_of, opened_world
from stages.body.model import load_body
from stages.body.shape_fitting import fit_limb_lengths
from stages.geometry.intervals import runs_of_true
from stages.geometry.padding import padded_length
from stages.people.contact_parts import contact_parts
from stages.people.heights import of_height
from stages.people.skeleton import SkeletonBuilder
from stages.people.sources import (
    Folders,
    read_cameras,
    read_people,
    track_of,
)
from stages.people.tracks import Cameras, Track
from stages.robot.limbs import limb_lengths_m
from stages.robot.model import load_g1
from stages.running import (
    ChosenPeople,
    Input,
    InputPaths,
    Processed,
    VideoError,
    flag,
    folder,
    stage_command,
)
from stages.running.fingerprints import PICTURES
from stages.running.inputs import (
    bodies,
    contacts,
    keypoints,
    labels,
    person_masks,
    track_summary,
)
from stages.running.inputs import (
    clock as clock_input,
)
from stages.running.model_flags import body_flag, robot_flag
from stages.running.reconstructions import current, names_in, world_folders
from stages.running.stage import BY_HAND
from stages.solving import use_compilation_cache
from stages.stage2_megahunter.drawing import picture
from stages.stage2_megahunter.gaps import fill_short_gaps
from stages.stage2_megahunter.optimisation import SolvedPerson, SolvedScene, solve_scene
from stages.stage2_megahunter.scene_samples import sample_scene
from stages.stage2_megahunter.smoothing import smooth_rotations, smooth_vectors

GRADIENT_THR = 0.15
LEAST_SHARE = 0.5
METHODS_THAT_SEE_BEHIND_PEOPLE = ("sfm", "ground")


@dataclass(kw_only=True)
class MegahunterStage(ChosenPeople):
    """Place people and cameras in one world with metres.

    Writes <out-base-dir>/megahunter_<reconstruction>.h5.
    """

    world_reconstruction_base_dir: Path | None = flag(
        None,
        "Folder of reconstructions (stage 1).",
        kind=click.Path(file_okay=False, path_type=Path),
        changes_results=False,
        shown_default="$MIMICMILL_DATA/input_<world>, of the preferred world method that there is",
    )
    bbox_base_dir: Path = folder(layout.MASKS, "Folder of people's masks and boxes.")
    pose2d_base_dir: Path = folder(layout.KEYPOINTS, "Folder of people's keypoints.")
    smpl_base_dir: Path = folder(layout.BODIES, "Folder of people's bodies.")
    contact_base_dir: Path = folder(layout.CONTACTS, "Folder of people's contacts.")
    videos_dir: Path = folder(
        "videos",
        'Folder of the videos. NAME.json beside NAME.mp4 may give heights: {"height_m": 1.8}.',
    )
    out_base_dir: Path = folder(layout.PEOPLE_AND_WORLD, "Folder for the results.", is_output=True)
    use_g1_shape: bool = flag(
        False, "Give everybody the limb lengths of the G1: the world shrinks to the robot's size."
    )
    height_m: float | None = flag(
        None,
        "Height in metres of everybody. Default: what is known of the video, else the estimate.",
        name="--height",
        kind=click.FloatRange(1.0, 2.4),
    )
    body_model: Path = body_flag()
    robot_file: Path = robot_flag()

    name = "stage2-megahunter"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.use_g1_shape and self.height_m is not None:
            raise VideoError("--use-g1-shape and --height exclude each other")

    @property
    def _world_folders(self) -> list[Path]:
        chosen = self.world_reconstruction_base_dir
        return world_folders(self.data_folder) if chosen is None else [chosen]

    @property
    def source_folder(self) -> Path:
        folders = self._world_folders
        # Where none is there, that of the method that needs no checkpoint is named.
        usual = self.data_folder / layout.world_folder("sfm")
        there = [each for each in folders if each.is_dir()]
        return next(iter(there), usual if usual in folders else folders[0])

    def videos_with_input(self) -> list[str]:
        return sorted({name.video for each in self._world_folders for name in names_in(each)})

    def _world(self, video: str) -> Path:
        name = current(self.data_folder, self._world_folders, video)
        if name is None:
            return self.source_folder / f"*_reconstruction_results_{video}_*.h5"
        folders = (each / f"{name.stem}.h5" for each in self._world_folders)
        return next(path for path in folders if path.exists())

    def variant(self, video: str) -> str:
        name = current(self.data_folder, self._world_folders, video)
        return name.method if name else ""

    def inputs(self, video: str) -> list[Input]:
        world, body_dir = self._world(video), self.smpl_base_dir / video / layout.CAMERA
        method = self.variant(video)
        return [
            Input("world", world, (f"stage1-{method}",) if method else ("a stage 1",)),
            track_summary(self.bbox_base_dir, video),
            labels(self.bbox_base_dir, video),
            person_masks(self.bbox_base_dir, video),
            keypoints(self.pose2d_base_dir, video),
            bodies(self.smpl_base_dir, video),
            contacts(self.contact_base_dir, video),
            clock_input(self.data_folder / layout.IMAGES, video),
            Input("notes", notes_path(self.videos_dir, video), BY_HAND, required=False),
            Input("known_betas", body_dir / BETAS_FILE, BY_HAND, required=False),
        ]

    def outputs(self, video: str) -> list[Path]:
        return [self.out_base_dir / f"megahunter_{self._world(video).stem}.h5"]

    def lacks(self, video: str) -> str:
        with (
            opened_world(self._world(video)) as (world, _),
            opened_people_and_world(self.outputs(video)[0]) as found,
        ):
            return lacking(len(found.world), len(world), "frames")

    def models(self) -> dict[str, Path]:
        files = super().models()
        if not self.use_g1_shape:
            files.pop("robot_file")
        return files

    def bucket(self, video: str) -> int:
        try:
            with opened_world(self._world(video)) as (world, _):
                return padded_length(len(world))
        except Exception:  # A damaged file is reported when its turn comes.
            return 0

    def load(self) -> None:
        use_compilation_cache()
        body = load_body(self.body_model)
        self.picker = SkeletonBuilder(body)
        self.betas: Float32[np.ndarray, " 10"] | None = None
        if self.use_g1_shape:
            self.betas = fit_limb_lengths(body, limb_lengths_m(load_g1(self.robot_file)))

    def process(self, video: str, inputs: InputPaths) -> Processed:
        path = inputs["world"]
        with opened_world(path) as (world, about):
            if not world.names:
                raise VideoError(f"{path} holds no frames; run its stage 1 again")
            clock = read_clock(inputs.get("clock"), world.numbers, world.times_s)
            cameras = read_cameras(world, clock)
            solved = self._solve(video, world, cameras, heights_of(about), inputs)
            write_people_and_world(
                self.outputs(video)[0],
                world,
                {
                    person.person: _motion(person, world, cameras.times_s)
                    for person in solved.people
                },
                lambda points: points * np.float32(solved.scale),
                lambda T: _scaled_camera(T, solved.scale),
                scale=solved.scale,
                method=parse_world_name(path).method,
                iterations=solved.iterations,
                converged=solved.converged,
                **{RANKING: [person.person for person in solved.people]},
                **{f"cost {name}": cost for name, cost in solved.term_costs.items()},
            )
        counts = ", ".join(f"{int(p.detected.sum())} frames of {p.person}" for p in solved.people)
        remarks = [clock.remark] if clock.remark else []
        if not solved.converged:
            remarks.append("stopped before it converged")
        return Processed(
            "; ".join([counts, f"{solved.scale:.3f} m a unit of the reconstruction", *remarks]),
            {
                "scale": solved.scale,
                "first_scale": solved.first_scale,
                "iterations": solved.iterations,
                "converged": solved.converged,
                "residuals": solved.term_costs,
            },
        )

    def draw(self, video: str, inputs: InputPaths) -> None:
        (path,) = self.outputs(video)
        with opened_people_and_world(path) as found:
            drawn = picture(found.world, found.people, load_body(self.body_model))
        write_image(path.parent / PICTURES / f"{path.stem}.jpg", drawn)

    def _solve(
        self,
        video: str,
        world: FrameGroup,
        cameras: Cameras,
        heights_m: dict[int, float],
        inputs: InputPaths,
    ) -> SolvedScene:
        folders = Folders(
            inputs["labels"].parent,
            inputs["keypoints"],
            inputs["bodies"],
            inputs.get("contacts"),
        )
        frames = read_people(world.names, folders)
        betas = self.betas
        if betas is None and "known_betas" in inputs:
            betas = read_betas(inputs["known_betas"])
        ids = self.followed(video, read_summary(folders.masks))
        parts = contact_parts(self.picker.model)
        tracks = [track_of(person, frames, cameras, betas, parts) for person in ids]
        notes = read_notes(inputs["notes"]) if "notes" in inputs else VideoNotes()
        tracks = [
            self._of_height(track, notes, heights_m) for track in self._worth_solving(video, tracks)
        ]
        if not tracks:
            raise VideoError(
                f"{video}: nobody has a body, keypoints and a box in the same frame; look at the"
                " results of stage0-sam2, stage0-vitpose and stage0-vimo"
            )
        sees_behind = parse_world_name(inputs["world"]).method in METHODS_THAT_SEE_BEHIND_PEOPLE
        samples = sample_scene(world, cameras, tracks, folders.masks, GRADIENT_THR, sees_behind)
        filled = [fill_short_gaps(track, cameras.times_s) for track in tracks]
        return solve_scene(cameras, filled, samples, self.picker)

    def _of_height(self, track: Track, notes: VideoNotes, heights_m: dict[int, float]) -> Track:
        """With the shape of the known height that is nearest to the estimated one.

        The flag goes before the notes on the video, these before what the world goes with, and the
        robot's shape before all.
        """
        if self.use_g1_shape:
            return track
        height_m = self.height_m or notes.height_of(track.person) or heights_m.get(track.person)
        return of_height(track, self.picker.model, height_m)

    def _worth_solving(self, video: str, tracks: list[Track]) -> list[Track]:
        """People who are there; of the top k only those in at least half of the frames, and who
        was chosen.
        """
        there = [track for track in tracks if track.detected.any()]
        if not (self.multihuman and self.top_k > 0):
            return there
        chosen = self.chosen_person(video)
        often = [
            track
            for track in there
            if track.detected.mean() >= LEAST_SHARE or track.person == chosen
        ]
        return often or there[:1]


def _motion(
    person: SolvedPerson, world: FrameGroup, times_s: Float[np.ndarray, " T"]
) -> PersonMotion:
    """The detected frames, smoothed over every stretch that was solved without a break."""
    rotmats, root = person.rotmats.copy(), person.root.copy()
    for start, end in runs_of_true(person.valid):
        run = slice(start, end)
        rotmats[run] = smooth_rotations(rotmats[run], times_s[run])
        root[run] = smooth_vectors(root[run], times_s[run])
    kept = np.flatnonzero(person.detected)
    return PersonMotion(
        [world.names[t] for t in kept],
        rotmats[kept, 1:].astype(np.float32),
        rotmats[kept, 0].astype(np.float32),
        root[kept].astype(np.float32),
        np.repeat(person.betas[None], len(kept), axis=0).astype(np.float32),
    )


def _scaled_camera(T: np.ndarray, scale: float) -> np.ndarray:
    T = T.copy()
    T[:3, 3] *= scale
    return T


main = stage_command(MegahunterStage)
