"""stage1-ground: a flat world for a camera that stands or only turns."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import UInt8

from stages.artifacts import layout
from stages.artifacts.bodies import BETAS_FILE, read_betas
from stages.artifacts.clock import Clock, frame_number, read_clock
from stages.artifacts.masks import choose_people, read_summary
from stages.artifacts.video_notes import VideoNotes, notes_path, read_notes
from stages.artifacts.world import WorldFrame, WorldFrameView, heights_metadata
from stages.body.model import load_body
from stages.body.shape_fitting import stature_m
from stages.cameras.frames import PEOPLE_MARGIN_SHARE, Frames, grown
from stages.cameras.resizing import LONG_SIDE_PX, Resizing, reconstruction_size
from stages.cameras.upright_edges import Upright, edges_of, mean_up, upright
from stages.cameras.world_stage import WorldStage
from stages.geometry.pinhole import FOCAL_OVER_LONG_SIDE
from stages.people.heights import of_height
from stages.people.skeleton import SkeletonBuilder
from stages.people.sources import Folders, read_people, track_of
from stages.people.tracks import Cameras, Track
from stages.running import (
    DeclinedError,
    Input,
    InputPaths,
    Processed,
    VideoError,
    flag,
    folder,
    stage_command,
)
from stages.running.inputs import bodies, contacts, keypoints, labels, person_masks, track_summary
from stages.running.inputs import clock as clock_input
from stages.running.inputs import frames as frames_input
from stages.running.model_flags import body_flag
from stages.running.stage import BY_HAND
from stages.stage1_ground.drawing import beside_its_grid
from stages.stage1_ground.footholds import stances
from stages.stage1_ground.levels import EDGES_DEG, UPRIGHT_DEG, Levels, fit_levels
from stages.stage1_ground.rotations import Turns, follow_turns
from stages.stage1_ground.sizes import resized, sizes_on_one_floor
from stages.stage1_ground.surface import Surface, surface_of

METHOD, MEASURED = "ground", "sfm"
_EDGE_FRAMES = 8
_ROUNDS = 3
"""Of sizes and levels in turn: a wrong size tilts the ground a little."""


@dataclass(kw_only=True)
class GroundStage(WorldStage):
    """Assume flat ground under people whom a camera films that stands or only turns.

    Writes <outdir>/ground_reconstruction_results_<video>_cam01_frame_<start>_<end>_subsample_<n>.h5
    in metres, by the people's size: the ground's plane, and flat pieces where somebody rests above.
    """

    bbox_base_dir: Path = folder(layout.MASKS, "Folder of people's masks and boxes.")
    pose2d_base_dir: Path = folder(layout.KEYPOINTS, "Folder of people's keypoints.")
    smpl_base_dir: Path = folder(layout.BODIES, "Folder of people's bodies.")
    contact_base_dir: Path = folder(layout.CONTACTS, "Folder of people's contacts.")
    videos_dir: Path = folder("videos", "Folder of the videos and of notes on them (heights).")
    outdir: Path = folder(layout.world_folder(METHOD), "Folder for the worlds.", is_output=True)
    auto: bool = flag(
        False, "Leave videos to stage1-sfm that have a world of it.", changes_results=False
    )
    body_model: Path = body_flag()

    name = "stage1-ground"
    method = METHOD

    @property
    def may_decline(self) -> bool:
        return self.auto

    def _measured_world(self, video: str) -> Path:
        """What stage1-sfm would make of the same frames."""
        folder = self.data_folder / layout.world_folder(MEASURED)
        return folder / f"{self.world_name(MEASURED, video).stem}.h5"

    def inputs(self, video: str) -> list[Input]:
        known_betas = self.smpl_base_dir / video / layout.CAMERA / BETAS_FILE
        measured = Input(MEASURED, self._measured_world(video), (f"stage1-{MEASURED}",), False)
        return [
            *([measured] if self.auto else []),
            frames_input(self.video_base_dir, video),
            clock_input(self.video_base_dir, video),
            track_summary(self.bbox_base_dir, video),
            labels(self.bbox_base_dir, video),
            person_masks(self.bbox_base_dir, video),
            keypoints(self.pose2d_base_dir, video),
            bodies(self.smpl_base_dir, video),
            contacts(self.contact_base_dir, video),
            Input("notes", notes_path(self.videos_dir, video), BY_HAND, required=False),
            Input("known_betas", known_betas, BY_HAND, required=False),
        ]

    def notice(self) -> str:
        people = "masked out" if self.gsam2 else "taken for background"
        return f"flat ground is assumed; people are {people}"

    def load(self) -> None:
        self.builder = SkeletonBuilder(load_body(self.body_model))

    def process(self, video: str, inputs: InputPaths) -> Processed:
        if MEASURED in inputs:
            raise DeclinedError(f"stage1-{MEASURED} has measured a world")
        chosen = self.frames_of(video, inputs)
        resizing = reconstruction_size(chosen.height, chosen.width)
        turns = follow_turns(_background(chosen, resizing), lambda px: _intrinsic(resizing, px))
        cameras = _cameras(chosen, resizing, turns, read_clock(inputs.get("clock")))
        surface, levels, heights_m = self._surface(cameras, chosen, resizing, inputs)
        self.write(
            video,
            inputs,
            _world_frames(chosen, resizing, cameras, surface),
            focal_px_original=float(cameras.intrinsics[0, 0, 0] / resizing.scale[0]),
            registered_frames=int(turns.known.sum()),
            assumed="flat ground" if turns.focal_px else "flat ground, focal length",
            up=surface.up,
            **heights_metadata(heights_m),
        )
        return _processed(turns, cameras, resizing, surface, levels, heights_m)

    def _surface(
        self, cameras: Cameras, chosen: Frames, resizing: Resizing, inputs: InputPaths
    ) -> tuple[Surface, Levels, dict[int, float]]:
        """The ground, and heights of those whose size only the common floor tells."""
        masks = inputs["labels"].parent
        folders = Folders(masks, inputs["keypoints"], inputs["bodies"], inputs.get("contacts"))
        found = read_people([image.name for image in chosen.images], folders)
        betas = read_betas(inputs["known_betas"]) if "known_betas" in inputs else None
        notes = read_notes(inputs["notes"]) if "notes" in inputs else VideoNotes()
        ids = choose_people(read_summary(masks), multihuman=True, top_k=0)
        tracks = [self._track(track_of(one, found, cameras, betas), notes) for one in ids]
        tracks = [track for track in tracks if track.detected.any()]
        size = (resizing.height, resizing.width)
        seen = stances(cameras, tracks, found, self.builder, size)
        if not any(not each.is_seat for each in seen.footholds):
            raise VideoError(
                "nobody stands still on a foot that is in view, and the ground is where people "
                "stand; film people with their feet"
            )
        taken_m = {one.person: stature_m(self.builder.model, one.betas) for one in tracks}
        noted = {one.person for one in tracks if notes.height_of(one.person) or betas is not None}
        footholds, factors = seen.footholds, {}
        edges = _upright_edges(cameras, chosen, resizing, seen.up)
        up, sigma_deg = (edges.direction, EDGES_DEG) if edges else (seen.up, UPRIGHT_DEG)
        levels = fit_levels(footholds, up, sigma_deg)
        for _ in range(_ROUNDS if len(tracks) > 1 else 0):
            factors = sizes_on_one_floor(seen.footholds, levels, taken_m, noted)
            footholds = resized(seen.footholds, factors)
            levels = fit_levels(footholds, up, sigma_deg)
        surface = surface_of(footholds, levels)
        if surface.camera_height_m <= 0:
            raise VideoError(
                "the ground would be above the camera; look at the results of the people's stages"
            )
        heights_m = {person: factor * taken_m[person] for person, factor in factors.items()}
        return surface, levels, heights_m

    def _track(self, track: Track, notes: VideoNotes) -> Track:
        return of_height(track, self.builder.model, notes.height_of(track.person))

    def picture(
        self, frame: WorldFrameView, about: Mapping[str, Any]
    ) -> UInt8[np.ndarray, "H W2 3"]:
        return beside_its_grid(frame, np.asarray(about["up"]))


def _intrinsic(resizing: Resizing, focal_px: float | None) -> np.ndarray:
    """K at the world's resolution, by the focal length (px) there; None for the assumed one."""
    long_side = max(resizing.original_height, resizing.original_width)
    share = FOCAL_OVER_LONG_SIDE if focal_px is None else focal_px / LONG_SIDE_PX
    return resizing.intrinsic(share * long_side).astype(np.float64)


def _background(chosen: Frames, resizing: Resizing) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    margin = round(PEOPLE_MARGIN_SHARE * LONG_SIDE_PX)
    for frame in range(len(chosen)):
        people = grown(resizing.mask(chosen.people(frame)), margin)
        yield resizing.image(chosen.grey(frame)), ~people


def _upright_edges(
    cameras: Cameras, chosen: Frames, resizing: Resizing, bodies_up: np.ndarray
) -> Upright | None:
    frames = np.unique(np.linspace(0, len(chosen) - 1, _EDGE_FRAMES).round().astype(int))
    Rs = cameras.R_world_camera[frames]
    edges = []
    for frame, R in zip(frames.tolist(), Rs, strict=True):
        grey = resizing.image(chosen.grey(frame))
        people = resizing.mask(chosen.people(frame))
        edges.append(edges_of(grey, cameras.intrinsics[frame], R, people))
    guesses = [mean_up(Rs), bodies_up] if bodies_up.any() else [mean_up(Rs)]
    return upright(edges, np.stack(guesses))


def _cameras(chosen: Frames, resizing: Resizing, turns: Turns, clock: Clock) -> Cameras:
    T = len(chosen)
    Ts = np.tile(np.eye(4), (T, 1, 1))
    Ts[:, :3, :3] = turns.R_world_camera
    numbers = np.array([frame_number(image.name) for image in chosen.images])
    K = _intrinsic(resizing, turns.focal_px)
    affine = resizing.affine_original_from_reconstruction
    return Cameras(np.tile(K, (T, 1, 1)), Ts, affine, clock.times_s(numbers))


def _world_frames(
    chosen: Frames, resizing: Resizing, cameras: Cameras, surface: Surface
) -> Iterator[WorldFrame]:
    last = np.zeros((4, 4))
    for frame, image in enumerate(chosen.images):
        K, T = cameras.intrinsics[frame], cameras.Ts_world_camera[frame]
        if not np.array_equal(T, last):
            depth, confidence = surface.seen(K, T[:3, :3], resizing.height, resizing.width)
            last = T
        people = resizing.mask(chosen.people(frame))
        yield WorldFrame(
            image.name,
            resizing.image(chosen.rgb(frame)),
            K.astype(np.float32),
            T.astype(np.float32),
            depth,
            confidence,
            people,
            cameras.affine_original_from_reconstruction,
            measured=(depth > 0) & ~people,
        )


def _processed(
    turns: Turns, cameras: Cameras, resizing: Resizing, surface: Surface, levels: Levels,
    heights_m: dict[int, float],
) -> Processed:  # fmt: skip
    share = float(cameras.intrinsics[0, 0, 0] / LONG_SIDE_PX)
    heights = ", ".join(f"{piece.height_m:.2f} m" for piece in surface.pieces)
    count = len(surface.pieces)
    source = "from the turning" if turns.focal_px else "assumed"
    parts = [
        f"the camera {'stands' if turns.stands else 'only turns'}: flat ground assumed",
        f"{count} raised piece{'' if count == 1 else 's'}" + (f" ({heights})" if heights else ""),
        f"focal {share:.2f} of the long side, {source}",
        f"camera {surface.camera_height_m:.2f} m above the ground",
    ]
    if heights_m:
        taken = ", ".join(f"{person} for {size:.2f} m" for person, size in heights_m.items())
        parts.append(f"for one floor under all, person {taken} tall")
    if not turns.known.all():
        parts.append(f"rotation interpolated in {(~turns.known).sum()} frames")
    details = {
        "stands": turns.stands,
        "focal_share_of_long_side": round(share, 4),
        "focal_known": turns.focal_px is not None,
        "camera_height_m": round(surface.camera_height_m, 3),
        "raised_pieces_m": [round(piece.height_m, 3) for piece in surface.pieces],
        "heights_m": {str(person): round(size, 3) for person, size in heights_m.items()},
        "footholds": len(levels.level_of),
        "foothold_scatter_m": round(levels.scatter_m, 4),
        "turning_deg": round(_widest_deg(turns.R_world_camera), 2),
    }
    return Processed("; ".join(parts), details)


def _widest_deg(Rs: np.ndarray) -> float:
    return float(np.degrees(np.arccos(np.clip(Rs[:, 2, 2].min(), -1, 1))))


main = stage_command(GroundStage)
