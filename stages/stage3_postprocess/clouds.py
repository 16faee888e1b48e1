"""Adding up the points of many frames without keeping them all."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int, UInt8

_WAITING_ROWS = 200_000


@dataclass(frozen=True)
class Cloud:
    """A coloured cloud with one averaged point a voxel."""

    points: Float[np.ndarray, "N 3"]
    colours: UInt8[np.ndarray, "N 3"]
    towards_camera: Float[np.ndarray, "N 3"]
    """Mean unit vector from the point to the cameras that saw it."""
    counts: Int[np.ndarray, " N"]
    """How many pixels the point is the mean of."""


class VoxelSum:
    """Sums of points, colours and viewing directions by voxel."""

    def __init__(self, voxel_m: float) -> None:
        self.voxel_m = voxel_m
        self._keys = np.zeros((0, 3), np.int32)
        self._sums = np.zeros((0, 10))
        self._waiting: list[tuple[np.ndarray, np.ndarray]] = []

    def add(
        self,
        points: Float[np.ndarray, "N 3"],
        colours: UInt8[np.ndarray, "N 3"],
        camera: Float[np.ndarray, "3"],
    ) -> None:
        """Adds the points that one camera position saw."""
        if len(points) == 0:
            return
        view = camera - points
        view = view / np.maximum(np.linalg.norm(view, axis=1, keepdims=True), 1e-9)
        sums = np.hstack([points, colours, view, np.ones((len(points), 1))])
        keys = np.floor(points / self.voxel_m).astype(np.int32)
        self._waiting.append(_by_voxel(keys, sums))
        # All voxels are sorted again only when as many rows have come in.
        if sum(len(keys) for keys, _ in self._waiting) > max(len(self._keys), _WAITING_ROWS):
            self._merge()

    def _merge(self) -> None:
        keys, sums = zip((self._keys, self._sums), *self._waiting, strict=True)
        self._keys, self._sums = _by_voxel(np.vstack(keys), np.vstack(sums))
        self._waiting = []

    def cloud(self, min_count: int = 1) -> Cloud:
        """The means of all voxels with at least `min_count` pixels."""
        self._merge()
        sums = self._sums[self._sums[:, 9] >= min_count]
        mean = sums[:, :9] / np.maximum(sums[:, 9:], 1)
        view = mean[:, 6:9]
        view = view / np.maximum(np.linalg.norm(view, axis=1, keepdims=True), 1e-9)
        colours = np.clip(np.rint(mean[:, 3:6]), 0, 255).astype(np.uint8)
        return Cloud(mean[:, :3], colours, view, sums[:, 9].astype(np.int64))


def _by_voxel(keys: np.ndarray, sums: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Adds up the rows of equal keys."""
    if len(keys) == 0:
        return keys, sums
    # One integer a voxel sorts many times faster than a row of three.
    packed = (
        ((keys[:, 0].astype(np.int64) + (1 << 20)) << 42)
        | ((keys[:, 1].astype(np.int64) + (1 << 20)) << 21)
        | (keys[:, 2].astype(np.int64) + (1 << 20))
    )
    order = np.argsort(packed, kind="stable")
    packed = packed[order]
    first = np.r_[True, packed[1:] != packed[:-1]]
    voxel = np.empty(len(packed), np.int64)
    voxel[order] = np.cumsum(first) - 1
    added = np.stack([np.bincount(voxel, column) for column in sums.T], 1)
    return keys[order[first]], added
