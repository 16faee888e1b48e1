"""stage1-sfm: cameras and depth of a video by structure from motion and multi-view stereo."""

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from stages.artifacts import layout, masks
from stages.artifacts.images import list_images
from stages.artifacts.layout import WorldName
from stages.artifacts.world import WorldFrame, write_world
from stages.running import Input, Stage
from stages.stage1_sfm.frames import choose_frames
from stages.stage1_sfm.pictures import write_picture
from stages.stage1_sfm.reconstruction import Reconstruction, reconstruct, world_frames

METHOD = "sfm"
MAX_THREADS = 8
_PICTURE_EVERY = 10


@dataclass
class SfmStage(Stage):
    """Reconstructs the place."""

    images_base_dir: Path
    masks_base_dir: Path | None
    """None reconstructs as if nobody was there."""
    worlds_dir: Path
    start_frame: int = 0
    end_frame: int = -1
    stride: int = 1
    vis: bool = False

    name = "stage1-sfm"

    def __post_init__(self) -> None:
        self.details: dict[str, Any] = {}

    @property
    def output_base_dir(self) -> Path:
        return self.worlds_dir

    def notice(self) -> str:
        people = "taken for scene" if self.masks_base_dir is None else "masked out"
        device = "CUDA" if torch.cuda.is_available() else "CPU"
        return f"pycolmap and multi-view stereo, no networks; people are {people}; {device}"

    def _images(self, video: str) -> Path:
        return self.images_base_dir / video / layout.CAMERA

    def _masks(self, video: str) -> Path | None:
        base = self.masks_base_dir
        return None if base is None else base / video / layout.CAMERA

    def inputs(self, video: str) -> list[Input]:
        needed = [Input(self._images(video), "stage0-frames")]
        folder = self._masks(video)
        return needed if folder is None else [*needed, Input(folder / "mask_data", masks.MADE_BY)]

    def outputs(self, video: str) -> list[Path]:
        end = self.end_frame
        if end == -1 and self._images(video).is_dir():
            end = len(list_images(self._images(video)))
        world = WorldName(METHOD, video, self.start_frame, end, self.stride)
        return [self.worlds_dir / f"{world.stem}.h5"]

    def parameters(self) -> dict[str, Any]:
        return {
            "start_frame": self.start_frame,
            "end_frame": self.end_frame,
            "stride": self.stride,
            "gsam2": self.masks_base_dir is not None,
        }

    def run_details(self) -> dict[str, Any]:
        return self.details

    def process(self, video: str) -> str:
        frames = choose_frames(
            self._images(video), self._masks(video), self.start_frame, self.end_frame, self.stride
        )
        threads = min(MAX_THREADS, torch.get_num_threads())
        with tempfile.TemporaryDirectory(prefix="mimicmill-sfm-") as workspace:
            made = reconstruct(frames, Path(workspace), threads)
        (path,) = self.outputs(video)
        shares: list[float] = []
        write_world(
            path,
            self._watched(world_frames(made), shares, path.with_name(f"{path.stem}_vis")),
            method=METHOD,
            focal_px_original=made.cameras.focal_px,
            registered_frames=int(made.cameras.registered.sum()),
        )
        return self._note(made, float(np.mean(shares)))

    def _watched(
        self, frames: Iterator[WorldFrame], shares: list[float], pictures: Path
    ) -> Iterator[WorldFrame]:
        """The same frames; collects the share of the place that has depth, draws some."""
        for place, frame in enumerate(frames):
            if not frame.dynamic.all():
                shares.append(float((frame.depth[~frame.dynamic] > 0).mean()))
            if self.vis and place % _PICTURE_EVERY == 0:
                write_picture(pictures, frame)
            yield frame

    def _note(self, made: Reconstruction, coverage: float) -> str:
        cameras, frames = made.cameras, made.frames
        guessed = [frames.images[place].name for place in np.flatnonzero(~cameras.registered)]
        share = cameras.focal_px / max(frames.width, frames.height)
        self.details = {
            "frames": len(frames),
            "registered": len(frames) - len(guessed),
            "interpolated": guessed,
            "focal_share_of_long_side": round(share, 4),
            "reprojection_px": round(cameras.reprojection_px, 3),
            "points": len(cameras.points),
            "depth_coverage": round(coverage, 3),
        }
        note = (
            f"{len(frames) - len(guessed)} of {len(frames)} frames registered, focal {share:.2f} "
            f"of the long side, depth on {coverage:.0%} of the place"
        )
        if guessed:
            note += f"; interpolated and without depth: {', '.join(guessed)}"
        return note
