"""stage1-sfm: cameras and depth of a video by structure from motion and multi-view stereo."""

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import click
import numpy as np
import torch

from stages.artifacts import layout
from stages.artifacts.clock import Clock, frame_number, read_clock
from stages.artifacts.images import write_image
from stages.artifacts.layout import WorldName
from stages.artifacts.world import WorldFrame, opened_world, write_world
from stages.cameras.frames import choose_frames, frame_range
from stages.drawing.depth import beside_its_depth
from stages.running import (
    DeclinedError,
    Input,
    InputPaths,
    Processed,
    Stage,
    flag,
    folder,
    folders_with_frames,
    stage_command,
    torch_device,
)
from stages.running.curation import curated_flag, trimmed
from stages.running.fingerprints import PICTURES
from stages.running.inputs import clock as clock_input
from stages.running.inputs import frames, person_masks
from stages.stage1_sfm.cameras import NoParallaxError
from stages.stage1_sfm.reconstruction import Reconstruction, reconstruct, world_frames

METHOD = "sfm"
MAX_THREADS = 8
_PICTURES = 12


@dataclass(kw_only=True)
class SfmStage(Stage):
    """Reconstruct cameras and the place, by structure from motion and multi-view stereo.

    Writes <outdir>/sfm_reconstruction_results_<video>_cam01_frame_<start>_<end>_subsample_<n>.h5,
    up to scale. Needs a camera that moves: a few steps around or along with the person.
    """

    video_base_dir: Path = folder(layout.IMAGES, "Folder of frames.")
    mask_base_dir: Path = folder(layout.MASKS, "Folder of people's masks.")
    outdir: Path = folder(
        layout.world_folder(METHOD), "Folder for the reconstructions.", is_output=True
    )
    gsam2: bool = flag(True, "Leave people out, by their masks.")
    start_frame: int = flag(0, "First frame, by place from 0.")
    end_frame: int = flag(-1, "Stop before this place; -1 for all.")
    curated: bool = curated_flag()
    stride: int = flag(1, "Use every n-th frame.", kind=click.IntRange(1))
    auto: bool = flag(
        False, "Leave videos whose camera stands to stage1-ground.", changes_results=False
    )

    name = "stage1-sfm"

    @property
    def source_folder(self) -> Path:
        return self.video_base_dir

    @property
    def may_decline(self) -> bool:
        return self.auto

    def videos_with_input(self) -> list[str]:
        return folders_with_frames(self.video_base_dir)

    def inputs(self, video: str) -> list[Input]:
        needed = [frames(self.video_base_dir, video), clock_input(self.video_base_dir, video)]
        return [*needed, person_masks(self.mask_base_dir, video)] if self.gsam2 else needed

    def outputs(self, video: str) -> list[Path]:
        world = WorldName(METHOD, video, *self._range(video), self.stride)
        return [self.outdir / f"{world.stem}.h5"]

    def _range(self, video: str) -> tuple[int, int]:
        folder = self.video_base_dir / video / layout.CAMERA
        start, end = frame_range(folder, self.start_frame, self.end_frame)
        return trimmed(self.data_folder, video, start, end) if self.curated else (start, end)

    def notice(self) -> str:
        people = "masked out" if self.gsam2 else "taken for scene"
        device = torch_device()
        return f"pycolmap and multi-view stereo, no networks; people are {people}; {device}"

    def process(self, video: str, inputs: InputPaths) -> Processed:
        masks_dir = inputs["masks"].parent if self.gsam2 else None
        chosen = choose_frames(inputs["frames"], masks_dir, *self._range(video), self.stride)
        threads = min(MAX_THREADS, torch.get_num_threads())
        with tempfile.TemporaryDirectory(prefix="mimicmill-sfm-") as workspace:
            try:
                made = reconstruct(chosen, Path(workspace), threads)
            except NoParallaxError as error:
                if self.auto:
                    raise DeclinedError(f"left to stage1-ground: {error}") from None
                raise
        shares: list[float] = []
        clock = read_clock(inputs.get("clock"))
        write_world(
            self.outputs(video)[0],
            _timed(_watched(world_frames(made), shares), clock),
            method=METHOD,
            focal_px_original=made.cameras.focal_px,
            registered_frames=int(made.cameras.registered.sum()),
        )
        return _processed(made, float(np.mean(shares)))

    def draw(self, video: str, inputs: InputPaths) -> None:
        (path,) = self.outputs(video)
        with opened_world(path) as (world, _):
            for name in world.names[:: max(1, len(world) // _PICTURES)]:
                picture = path.parent / PICTURES / path.stem / f"{name}.jpg"
                write_image(picture, beside_its_depth(world[name].rgb, world[name].depth))


def _watched(frames: Iterator[WorldFrame], shares: list[float]) -> Iterator[WorldFrame]:
    """The same frames; collects the share of the place that has depth."""
    for frame in frames:
        if not frame.dynamic.all():
            shares.append(float((frame.depth[~frame.dynamic] > 0).mean()))
        yield frame


def _timed(frames: Iterator[WorldFrame], clock: Clock) -> Iterator[WorldFrame]:
    for frame in frames:
        time_s = float(clock.times_s(np.array(frame_number(frame.name))))
        yield replace(frame, time_s=None if clock.remark else time_s)


def _processed(made: Reconstruction, coverage: float) -> Processed:
    cameras, frames = made.cameras, made.frames
    guessed = [frames.images[place].name for place in np.flatnonzero(~cameras.registered)]
    share = cameras.focal_px / max(frames.width, frames.height)
    note = (
        f"{len(frames) - len(guessed)} of {len(frames)} frames registered, focal {share:.2f} "
        f"of the long side, depth on {coverage:.0%} of the place"
    )
    if guessed:
        note += f"; interpolated and without depth: {', '.join(guessed)}"
    details = {
        "frames": len(frames),
        "registered": len(frames) - len(guessed),
        "interpolated": guessed,
        "focal_share_of_long_side": round(share, 4),
        "reprojection_px": round(cameras.reprojection_px, 3),
        "points": len(cameras.points),
        "depth_coverage": round(coverage, 3),
    }
    return Processed(note, details)


main = stage_command(SfmStage)
