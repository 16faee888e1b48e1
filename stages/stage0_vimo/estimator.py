"""VIMO over one run of frames: features once a frame, windows in batches, one result a frame."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

import numpy as np
import torch
from jaxtyping import Float, Float32, UInt8
from torch import Tensor

from stages.running.device import fetching, sent
from stages.running.overlap import started_early
from stages.running.recording import recorded
from stages.stage0_vimo.crops import (
    CropGeometry,
    normalise,
    picture_center_px,
    picture_focal_px,
)
from stages.stage0_vimo.network import Vimo
from stages.stage0_vimo.network.camera import bbox_info, camera_translation
from stages.stage0_vimo.network.config import WINDOW
from stages.stage0_vimo.windows import pad_to_window, window_source, window_starts
from stages.weights.precision import autocast, on_device

WINDOWS_OF_BATCH = 8
"""Frames of windows for each frame of the backbone: what follows it takes far less of both."""


@dataclass(frozen=True)
class RunBodies:
    """Bodies of one person in n consecutive frames of a run.

    `rotmat`: local SMPL rotations, [:, 0] root to the OpenCV camera of the frame. `translation_m`:
    of SMPL's origin, under VIMO's own assumption on the focal length.
    """

    rotmat: Float32[np.ndarray, "n 24 3 3"]
    betas: Float32[np.ndarray, "n 10"]
    translation_m: Float32[np.ndarray, "n 3"]


class BodyEstimator:
    """A network on its device; `batch_size` frames go through the backbone at once."""

    def __init__(
        self, network: Vimo, batch_size: int, device: str = "cpu", half: torch.dtype | None = None
    ) -> None:
        self.network = on_device(network, half, device).eval()
        self.batch_size = batch_size
        self.device, self.half = device, half
        self._frame_features = recorded(self.network.frame_features, device)
        self._windows = recorded(self._compute_windows, device)

    @torch.inference_mode()
    def __call__(
        self,
        crops: Iterable[UInt8[Tensor, "256 256 3"]],
        where: CropGeometry,
        picture_size: tuple[int, int],
    ) -> Iterator[RunBodies]:
        """Bodies of a run of crops cut by `where` from pictures of (height, width), in parts.

        A run shorter than a window is stretched to one by repeating its ends.
        """
        parts = self._parts(crops, where, picture_size)
        for _, arriving in started_early(fetching, parts):
            yield RunBodies(*(each.numpy() for each in arriving()))

    def _parts(
        self,
        crops: Iterable[UInt8[Tensor, "256 256 3"]],
        where: CropGeometry,
        picture_size: tuple[int, int],
    ) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
        length = len(where.size_px)
        padded = pad_to_window(length)
        offset = (len(padded) - length) // 2
        camera = self._camera(where, picture_size)
        info = bbox_info(*camera)[padded]
        done = 0
        for found in self._follow(crops, padded, info):
            # Of a stretched run there is one part.
            rotmat, betas, weak_camera = (values[offset:][:length] for values in found)
            frames = slice(done, done + len(rotmat))
            done = frames.stop
            yield rotmat, betas, camera_translation(weak_camera, *(each[frames] for each in camera))

    def _camera(
        self, where: CropGeometry, picture_size: tuple[int, int]
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        def tensor(values: np.ndarray) -> Tensor:
            return torch.as_tensor(np.asarray(values, np.float32), device=self.device)

        count = len(where.size_px)
        focal = np.full(count, picture_focal_px(*picture_size))
        middle = np.tile(picture_center_px(*picture_size), (count, 1))
        return tensor(where.center_px), tensor(where.size_px), tensor(focal), tensor(middle)

    def _follow(
        self,
        crops: Iterable[UInt8[Tensor, "256 256 3"]],
        padded: np.ndarray,
        info: Float[Tensor, "m 3"],
    ) -> Iterator[list[Tensor]]:
        """Rotations, shape and weak camera of every padded frame, each from its own window."""
        source = window_source(len(padded))
        windows = max(WINDOWS_OF_BATCH * self.batch_size // WINDOW, 1)
        starts = window_starts(len(padded))
        features = self._features(crops)
        if len(padded) == WINDOW:  # Perhaps a stretched run; all of it fits in one window.
            features = iter([torch.cat(list(features))[torch.as_tensor(padded)]])
        held, first = next(features), 0
        for some in np.split(starts, range(windows, len(starts), windows)):
            end = int(some[-1]) + WINDOW
            while first + len(held) < end:
                held = torch.cat([held, next(features)])
            held, first = held[int(some[0]) - first :], int(some[0])
            place_in_clip = some[:, None] + np.arange(WINDOW)
            index, index_held = (
                sent(each, self.device) for each in (place_in_clip, place_in_clip - first)
            )
            with autocast(self.half, self.device):
                out = self._windows(held[index_held], info[index])
            mine = source[np.isin(source[:, 0], some)]
            window, place = (sent(each, self.device) for each in (mine[:, 0] - some[0], mine[:, 1]))
            yield [each[window, place].float() for each in out]

    def _compute_windows(
        self, features: Float[Tensor, "b t 192 c"], info: Float[Tensor, "b t 3"]
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Rotations, shape and weak camera of every frame of every window."""
        out = self.network(features, info)
        return out.rotmat, out.shape, out.weak_camera

    def _features(
        self, crops: Iterable[UInt8[Tensor, "256 256 3"]]
    ) -> Iterator[Float[Tensor, "b 192 c"]]:
        """Features of the frames in order, a batch at a time."""
        coming = iter(crops)
        while some := list(islice(coming, self.batch_size)):
            pixels = normalise(torch.stack(some).to(self.device))
            with autocast(self.half, self.device):
                found = self._frame_features(pixels)
            yield found
