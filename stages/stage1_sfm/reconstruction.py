"""From frames to a world: cameras first, then depth, then what is written of each frame."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float32

from stages.artifacts.world import WorldFrame
from stages.cameras.frames import PEOPLE_MARGIN_SHARE, Frames, grown
from stages.cameras.resizing import LONG_SIDE_PX, Resizing, reconstruction_size
from stages.running import VideoError
from stages.stage1_sfm.cameras import SolvedCameras, solve_cameras
from stages.stage1_sfm.depth import fused_frames, measure_keys
from stages.stage1_sfm.fusion import KeyDepth
from stages.stage1_sfm.lens import StraightFrames, framed, framed_intrinsic
from stages.stage1_sfm.people import (
    PlacedPerson,
    body_depth,
    frames_to_look_at,
    metres_per_unit,
)
from stages.stage1_sfm.views import Views, as_views

BEHIND_PEOPLE = 0.5
"""Factor on the confidence of what people hide: it was not seen in that frame."""
OF_BODIES = 0.1
"""Confidence of people's own depth, which is that of a body put before the camera."""


@dataclass(frozen=True)
class Reconstruction:
    """A video's cameras and the depth of its key frames."""

    frames: Frames
    resizing: Resizing
    cameras: SolvedCameras
    views: Views
    keys: list[KeyDepth]
    threads: int

    def intrinsic(self, frame: int) -> Float32[np.ndarray, "3 3"]:
        """K of a frame as it is written, at the reconstruction's resolution."""
        pinhole, lens = self.resizing.intrinsic(self.cameras.focal_px), self.cameras.lens
        if lens is None:
            return pinhole
        return framed_intrinsic(pinhole, lens, frame, self.resizing.scale).astype(np.float32)

    @property
    def written(self) -> Frames:
        """The frames as they are written: framed as filmed, lines straight."""
        lens = self.cameras.lens
        if lens is None or lens.kappa == 0:
            return self.frames
        return StraightFrames(**vars(self.frames), lens=lens, as_framed=True)

    def framed(self, values: Float32[np.ndarray, "H W"], frame: int) -> Float32[np.ndarray, "H W"]:
        """Values of the pinhole's pixels at those of a frame as it is written."""
        lens = self.cameras.lens
        return values if lens is None else framed(values, lens, frame, self.resizing.scale)


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
    if cameras.lens is not None:
        frames = StraightFrames(**vars(frames), lens=cameras.lens)
    grey = [resizing.image(frames.grey(frame)) for frame in range(len(frames))]
    moving = [
        grown(resizing.mask(frames.people(frame)), margin) | resizing.mask(frames.outside(frame))
        for frame in range(len(frames))
    ]
    device = "cuda" if torch.cuda.is_available() else "cpu"
    intrinsic = resizing.intrinsic(cameras.focal_px)
    return as_views(grey, moving, intrinsic, cameras.Ts_camera_world, device)


def people_scale(made: Reconstruction, people: list[PlacedPerson]) -> float | None:
    """Metres per unit of the world, by the people in it; None where nothing tells."""
    frames = frames_to_look_at(people, made.cameras.registered)
    fused = fused_frames(made.views, made.cameras, made.keys, made.threads, frames)
    depths = {
        frame: made.framed(depth, frame) for frame, (depth, _) in zip(frames, fused, strict=True)
    }
    return metres_per_unit(people, frames, depths.__getitem__, made.intrinsic)


def world_frames(made: Reconstruction, people: list[PlacedPerson]) -> Iterator[WorldFrame]:
    """What is written of every frame, in turn.

    Depth is that of the place along each pixel's ray; confidence is the share of key frames that
    confirm it. People's pixels have the depth of their body, where it is known how large they are
    in the world, and little confidence. The place that they hide is known where other frames saw
    it, with half of the confidence. Neither counts as measured.
    """
    scale, frames = people_scale(made, people), made.written
    fused = fused_frames(made.views, made.cameras, made.keys, made.threads)
    for place, (depth, agreement) in enumerate(fused):
        depth, agreement = made.framed(depth, place), made.framed(agreement, place)
        dynamic = made.resizing.mask(frames.people(place))
        confidence = np.where(dynamic, BEHIND_PEOPLE, 1.0).astype(np.float32) * agreement
        measured, behind = (agreement > 0) & ~dynamic, None
        if scale is not None:
            bodies = _bodies(made, people, place) * dynamic / np.float32(scale)
            behind = np.where(dynamic, depth, 0)
            depth = np.where(bodies > 0, bodies, depth)
            confidence = np.where(bodies > 0, np.float32(OF_BODIES), confidence)
        T_world_camera = np.linalg.inv(made.cameras.Ts_camera_world[place])
        yield WorldFrame(
            name=frames.images[place].name,
            rgb=made.resizing.image(frames.rgb(place)),
            intrinsic=made.intrinsic(place),
            T_world_camera=T_world_camera.astype(np.float32),
            depth=depth,
            confidence=confidence,
            dynamic=dynamic,
            measured=measured,
            behind=behind,
            affine_original_from_reconstruction=made.resizing.affine_original_from_reconstruction,
        )


def _bodies(
    made: Reconstruction, people: list[PlacedPerson], frame: int
) -> Float32[np.ndarray, "H W"]:
    """Depth (m) of the bodies of a frame; 0 elsewhere, and where a pose is only guessed."""
    depth_m = np.zeros((made.resizing.height, made.resizing.width), np.float32)
    if not made.cameras.registered[frame]:
        return depth_m
    ids = made.written.ids(frame)
    for each in people:
        if each.known[frame]:
            mask = made.resizing.mask(ids == each.person) & (depth_m == 0)
            depth_m += body_depth(each.points_m[frame], mask, made.intrinsic(frame))
    return depth_m
