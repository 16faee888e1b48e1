"""stage1-sfm: cameras and depth of a video by structure from motion and multi-view stereo."""

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from stages.artifacts import layout
from stages.artifacts.world import WorldFrame
from stages.cameras.world_stage import PicturesStage
from stages.running import (
    DeclinedError,
    InputPaths,
    Processed,
    flag,
    folder,
    stage_command,
    torch_device,
)
from stages.stage1_sfm.cameras import NoParallaxError
from stages.stage1_sfm.reconstruction import Reconstruction, reconstruct, world_frames

METHOD = "sfm"
MAX_THREADS = 8


@dataclass(kw_only=True)
class SfmStage(PicturesStage):
    """Reconstruct cameras and the place, by structure from motion and multi-view stereo.

    Writes <outdir>/sfm_reconstruction_results_<video>_cam01_frame_<start>_<end>_subsample_<n>.h5,
    up to scale. Needs a camera that moves: a few steps around or along with the person.
    """

    outdir: Path = folder(
        layout.world_folder(METHOD), "Folder for the reconstructions.", is_output=True
    )
    auto: bool = flag(
        False, "Leave videos whose camera stands to stage1-ground.", changes_results=False
    )

    name = "stage1-sfm"
    method = METHOD

    @property
    def may_decline(self) -> bool:
        return self.auto

    def notice(self) -> str:
        people = "masked out" if self.gsam2 else "taken for scene"
        device = torch_device()
        return f"pycolmap and multi-view stereo, no networks; people are {people}; {device}"

    def process(self, video: str, inputs: InputPaths) -> Processed:
        chosen = self.frames_of(video, inputs)
        threads = min(MAX_THREADS, torch.get_num_threads())
        with tempfile.TemporaryDirectory(prefix="mimicmill-sfm-") as workspace:
            try:
                made = reconstruct(chosen, Path(workspace), threads)
            except NoParallaxError as error:
                if self.auto:
                    raise DeclinedError(f"left to stage1-ground: {error}") from None
                raise
        shares: list[float] = []
        self.write(
            video,
            inputs,
            _watched(world_frames(made), shares),
            focal_px_original=made.cameras.focal_px,
            registered_frames=int(made.cameras.registered.sum()),
        )
        return _processed(made, float(np.mean(shares)))


def _watched(frames: Iterator[WorldFrame], shares: list[float]) -> Iterator[WorldFrame]:
    """The same frames; collects the share of the place that has depth."""
    for frame in frames:
        if not frame.dynamic.all():
            shares.append(float((frame.depth[~frame.dynamic] > 0).mean()))
        yield frame


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
