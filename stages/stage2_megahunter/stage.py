"""stage2-megahunter: people and place in one metric world."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float32

from stages.artifacts import layout
from stages.artifacts.bodies import BETAS_FILE, read_betas
from stages.artifacts.layout import find_world_file, parse_world_name
from stages.artifacts.masks import choose_people, read_summary, summary_path
from stages.artifacts.people_and_world import PersonMotion, write_people_and_world
from stages.artifacts.video_notes import VideoNotes, notes_path, read_notes
from stages.artifacts.world import FrameGroup, opened_world
from stages.body.model import load_body
from stages.body.shape_fitting import fit_height, fit_limb_lengths
from stages.robot.limbs import limb_lengths_m
from stages.robot.model import load_g1
from stages.running import Input, Stage, VideoError, padded_length
from stages.solving import use_compilation_cache
from stages.stage2_megahunter.marks import MarkPicker
from stages.stage2_megahunter.optimisation import SolvedPerson, SolvedScene, solve_scene
from stages.stage2_megahunter.smoothing import smooth_rotations, smooth_vectors
from stages.stage2_megahunter.sources import Folders, read_cameras, read_people, track_of
from stages.stage2_megahunter.surroundings import look_around
from stages.stage2_megahunter.tracks import Track, fill_short_gaps

GRADIENT_THR = 0.15
LEAST_SHARE = 0.5
USUAL_FPS = 30.0
METHODS_THAT_SEE_BEHIND_PEOPLE = ("sfm",)


@dataclass
class MegahunterStage(Stage):
    """Solves people and place."""

    worlds_dir: Path
    bbox_base_dir: Path
    pose2d_base_dir: Path
    smpl_base_dir: Path
    contact_base_dir: Path
    videos_dir: Path
    out_base_dir: Path
    body_model: Path
    use_g1_shape: bool = False
    height_m: float | None = None
    multihuman: bool = False
    top_k: int = 0

    name = "stage2-megahunter"

    def __post_init__(self) -> None:
        self.details: dict[str, Any] = {}

    @property
    def output_base_dir(self) -> Path:
        return self.out_base_dir

    def videos(self) -> list[str]:
        """Videos with a reconstruction."""
        paths = self.worlds_dir.glob("*_reconstruction_results_*.h5")
        return sorted({parse_world_name(p).video for p in paths if not p.name.startswith(".")})

    def inputs(self, video: str) -> list[Input]:
        folders = self._folders(video)
        return [
            Input(self._world(video), "a stage 1, such as stage1-sfm"),
            Input(summary_path(folders.masks), "stage0-sam2"),
            Input(folders.masks / "json_data", "stage0-sam2"),
            Input(folders.masks / "mask_data", "stage0-sam2"),
            Input(folders.keypoints, "stage0-vitpose"),
            Input(folders.bodies, "stage0-vimo"),
            Input(folders.contacts, "stage0-bstro", required=False),
            Input(notes_path(self.videos_dir, video), "you", required=False),
            Input(folders.bodies / BETAS_FILE, "you", required=False),
        ]

    def outputs(self, video: str) -> list[Path]:
        return [self.out_base_dir / f"megahunter_{self._world(video).stem}.h5"]

    def parameters(self) -> dict[str, Any]:
        return {
            "use_g1_shape": self.use_g1_shape,
            "height_m": self.height_m,
            "multihuman": self.multihuman,
            "top_k": self.top_k,
        }

    def weights(self) -> dict[str, Path]:
        return {"body": self.body_model}

    def bucket(self, video: str) -> int:
        try:
            with opened_world(self._world(video)) as (world, _):
                return padded_length(len(world))
        except Exception:  # a damaged file is reported when its turn comes
            return 0

    def run_details(self) -> dict[str, Any]:
        return self.details

    def load(self) -> None:
        use_compilation_cache()
        body = load_body(self.body_model)
        self.picker = MarkPicker(body)
        self.betas: Float32[np.ndarray, " 10"] | None = None
        if self.use_g1_shape:
            self.betas = fit_limb_lengths(body, limb_lengths_m(load_g1()))

    def process(self, video: str) -> str:
        folders, path = self._folders(video), self._world(video)
        with opened_world(path) as (world, _):
            if not world.names:
                raise VideoError(f"{path} holds no frames; run its stage 1 again")
            solved = self._solve(video, world, folders, path)
            write_people_and_world(
                self.outputs(video)[0],
                world,
                {person.person: _motion(person, world, path) for person in solved.people},
                lambda points: points * np.float32(solved.scale),
                lambda T: _scaled_camera(T, solved.scale),
                scale=solved.scale,
                method=parse_world_name(path).method,
                iterations=solved.iterations,
                converged=solved.converged,
                **{f"cost {name}": cost for name, cost in solved.term_costs.items()},
            )
        self.details = {
            "scale": solved.scale,
            "first_scale": solved.first_scale,
            "iterations": solved.iterations,
            "converged": solved.converged,
            "residuals": solved.term_costs,
        }
        counts = ", ".join(f"{int(p.detected.sum())} frames of {p.person}" for p in solved.people)
        ending = "" if solved.converged else "; stopped before it converged"
        return f"{counts}; {solved.scale:.3f} m a unit of the reconstruction{ending}"

    def _solve(self, video: str, world: FrameGroup, folders: Folders, path: Path) -> SolvedScene:
        cameras = read_cameras(world)
        frames = read_people(world.names, folders)
        betas = self._known_betas(folders.bodies)
        ids = choose_people(read_summary(folders.masks), self.multihuman, self.top_k)
        tracks = [track_of(person, frames, cameras, betas) for person in ids]
        notes = read_notes(notes_path(self.videos_dir, video))
        tracks = [self._of_height(track, notes) for track in self._worth_solving(tracks)]
        if not tracks:
            raise VideoError(
                f"{video}: nobody has a body, keypoints and a box in the same frame; look at the"
                " results of stage0-sam2, stage0-vitpose and stage0-vimo"
            )
        sees_behind = parse_world_name(path).method in METHODS_THAT_SEE_BEHIND_PEOPLE
        around = look_around(world, cameras, tracks, folders.masks, GRADIENT_THR, sees_behind)
        filled = [fill_short_gaps(track) for track in tracks]
        return solve_scene(cameras, filled, around, self.picker)

    def _known_betas(self, bodies: Path) -> Float32[np.ndarray, " 10"] | None:
        """The shape asked for by flags, else the video's own `known_betas.json`, else none."""
        if self.betas is None and (bodies / BETAS_FILE).exists():
            return read_betas(bodies / BETAS_FILE)
        return self.betas

    def _of_height(self, track: Track, notes: VideoNotes) -> Track:
        """With the shape of the known height that is nearest to the estimated one.

        The flag goes before the notes on the video, and the robot's shape before both.
        """
        height_m = self.height_m or notes.height_of(track.person)
        if height_m is None or self.use_g1_shape:
            return track
        try:
            betas = fit_height(self.picker.model, height_m, near=track.betas)
        except ValueError as error:
            raise VideoError(f"person {track.person}: {error}") from None
        return replace(track, betas=betas.astype(np.float64))

    def _worth_solving(self, tracks: list[Track]) -> list[Track]:
        """People who are there; of the top k only those in at least half of the frames."""
        there = [track for track in tracks if track.detected.any()]
        if not (self.multihuman and self.top_k > 0):
            return there
        often = [track for track in there if track.detected.mean() >= LEAST_SHARE]
        return often or there[:1]

    def _world(self, video: str) -> Path:
        found = find_world_file(self.worlds_dir, video)
        return found or self.worlds_dir / f"*_reconstruction_results_{video}_*.h5"

    def _folders(self, video: str) -> Folders:
        return Folders(
            self.bbox_base_dir / video / layout.CAMERA,
            self.pose2d_base_dir / video / layout.CAMERA,
            self.smpl_base_dir / video / layout.CAMERA,
            self.contact_base_dir / video / layout.CAMERA,
        )


def _motion(person: SolvedPerson, world: FrameGroup, path: Path) -> PersonMotion:
    """The detected frames, smoothed over every stretch that was solved without a break."""
    rate_hz = USUAL_FPS / parse_world_name(path).stride
    rotmats, root = person.rotmats.copy(), person.root.copy()
    edges = np.flatnonzero(np.diff(np.concatenate([[0], person.valid.astype(int), [0]])))
    for start, stop in edges.reshape(-1, 2):
        rotmats[start:stop] = smooth_rotations(rotmats[start:stop], rate_hz)
        root[start:stop] = smooth_vectors(root[start:stop], rate_hz)
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
