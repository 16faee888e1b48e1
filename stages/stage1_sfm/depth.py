"""Dense depth of all frames: measured in the key frames, joined for every frame."""

from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager

import cv2
import numpy as np
import torch
from jaxtyping import Float32

from stages.stage1_sfm.cameras import SolvedCameras
from stages.stage1_sfm.fusion import KeyDepth, fuse
from stages.stage1_sfm.plane_sweep import measure
from stages.stage1_sfm.sources import plan_depth
from stages.stage1_sfm.views import Views

MAX_COST = 0.5
"""Worst matching cost of a depth that counts: a correlation of one half."""
_FRAMES_AHEAD = 8
"""Joined while the caller still writes an earlier frame."""


@contextmanager
def _workers(views: Views, threads: int) -> Iterator[ThreadPoolExecutor]:
    """Threads that take a frame each: better than threads inside of small operations."""
    before = torch.get_num_threads(), cv2.getNumThreads()
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    try:
        with ThreadPoolExecutor(threads if views.device.type == "cpu" else 1) as pool:
            yield pool
    finally:
        torch.set_num_threads(before[0])
        cv2.setNumThreads(before[1])


@torch.no_grad()
def measure_keys(views: Views, cameras: SolvedCameras, threads: int) -> list[KeyDepth]:
    """The measured depth of the key frames in order of time, but for those that see no points."""
    intrinsic = views.intrinsic.cpu().double().numpy()
    usable = [int(frame) for frame in np.flatnonzero(cameras.registered)]
    pyramid = [views, half := views.halved(), half.halved()]

    @torch.no_grad()
    def one(frame: int) -> KeyDepth | None:
        task = plan_depth(
            frame, cameras.points, cameras.Ts_camera_world, usable, intrinsic, views.size
        )
        if task is None:
            return None
        found = measure(pyramid, task)
        good = (found.cost < MAX_COST) & (views.still(frame) > 0)
        return KeyDepth(frame, found.inverse_depth, good.float(), found.inverse_depth_per_px)

    with _workers(views, threads) as pool:
        return [key for key in pool.map(one, cameras.keys) if key is not None]


def fused_frames(
    views: Views,
    cameras: SolvedCameras,
    keys: list[KeyDepth],
    threads: int,
    frames: Sequence[int] | None = None,
) -> Iterator[tuple[Float32[np.ndarray, "H W"], Float32[np.ndarray, "H W"]]]:
    """Depth and agreement of some or of all frames in turn; 0 for those without a measured pose."""

    @torch.no_grad()
    def one(frame: int) -> tuple[np.ndarray, np.ndarray]:
        if not cameras.registered[frame] or not keys:
            nothing = np.zeros(views.size, np.float32)
            return nothing, nothing
        fused = fuse(views, frame, keys)
        return fused.depth.cpu().numpy(), fused.agreement.cpu().numpy()

    with _workers(views, threads) as pool:
        ahead: deque[Future[tuple[np.ndarray, np.ndarray]]] = deque()
        for frame in range(len(views)) if frames is None else frames:
            ahead.append(pool.submit(one, frame))
            if len(ahead) > _FRAMES_AHEAD:
                yield ahead.popleft().result()
        while ahead:
            yield ahead.popleft().result()
