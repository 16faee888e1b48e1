"""From frames to a world: cameras first, then depth, then what is written of each frame."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from stages.artifacts.world import WorldFrame
from stages.cameras.frames import PEOPLE_MARGIN_SHARE, Frames, grown
from stages.cameras.resizing import LONG_SIDE_PX, Resizing, reconstruction_size
from stages.running import VideoError
from stages.stage1_sfm.cameras import SolvedCameras, solve_cameras
from stages.stage1_sfm.depth import fused_frames, measure_keys
from stages.stage1_sfm.fusion import KeyDepth
from stages.stage1_sfm.views import Views, as_views

BEHIND_PEOPLE = 0.5
"""Factor on the confidence of what people hide: it was not seen in that frame."""


@dataclass(frozen=True)
class Reconstruction:
    """A video's cameras and the depth of its key frames."""

    frames: Frames
    resizing: Resizing
    cameras: SolvedCameras
    views: Views
    keys: list[KeyDepth]
    threads: int


def reconstruct(frames: Frames, workspace: Path, threads: int) -> Reconstruction:
    """Solves the cameras and measures depth in the key frames.

    Args:
        workspace: an empty folder for intermediate files.

    Raises:
        VideoError: the video does not allow it; says why and what to do.
    """
    cameras = solve_cameras(frames, workspace, threads)
    resizing = reconstruction_size(frames.height, frames.width)
    views = _load_views(frames, resizing, cameras)
    keys = measure_keys(views, cameras, threads)
    if not keys:
        raise VideoError(
            f"no frame of {frames.folder} sees enough points of the map; choose another part by "
            "--start-frame and --end-frame"
        )
    return Reconstruction(frames, resizing, cameras, views, keys, threads)


def _load_views(frames: Frames, resizing: Resizing, cameras: SolvedCameras) -> Views:
    margin = round(PEOPLE_MARGIN_SHARE * LONG_SIDE_PX)
    grey = [resizing.image(frames.grey(frame)) for frame in range(len(frames))]
    moving = [grown(resizing.mask(frames.people(frame)), margin) for frame in range(len(frames))]
    device = "cuda" if torch.cuda.is_available() else "cpu"
    intrinsic = resizing.intrinsic(cameras.focal_px)
    return as_views(grey, moving, intrinsic, cameras.Ts_camera_world, device)


def world_frames(made: Reconstruction) -> Iterator[WorldFrame]:
    """What is written of every frame, in turn.

    Depth is that of the place along each pixel's ray, behind people too where other frames saw
    it; confidence is the share of key frames that confirm it, halved behind people, whose pixels
    do not count as measured.
    """
    fused = fused_frames(made.views, made.cameras, made.keys, made.threads)
    for place, (depth, agreement) in enumerate(fused):
        people = made.resizing.mask(made.frames.people(place))
        trust = np.where(people, BEHIND_PEOPLE, 1.0).astype(np.float32)
        T_world_camera = np.linalg.inv(made.cameras.Ts_camera_world[place])
        yield WorldFrame(
            name=made.frames.images[place].name,
            rgb=made.resizing.image(made.frames.rgb(place)),
            intrinsic=made.resizing.intrinsic(made.cameras.focal_px),
            T_world_camera=T_world_camera.astype(np.float32),
            depth=depth,
            confidence=trust * agreement,
            dynamic=people,
            measured=(agreement > 0) & ~people,
            affine_original_from_reconstruction=made.resizing.affine_original_from_reconstruction,
        )
