"""`input_<method>/<stem>.h5`: cameras, depth and point map of every frame (stage 1)."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Float32, UInt8

from stages import catalogue
from stages.artifacts import checks
from stages.artifacts.clock import frame_number
from stages.artifacts.errors import remedy
from stages.artifacts.float_maps import DEPTH_LEVELS, POINT_LEVELS, put_map
from stages.artifacts.h5tree import Group, created, opened, put_array, rounded
from stages.artifacts.masks import LARGEST_ID

GROUP = "monst3r_ga_output"
TIME = "time_s"
"""Attribute of a frame: its second of the video."""
BEHIND = "depths_behind_people"
HEIGHT_IDS, HEIGHTS = "height_person_ids", "heights_m"
"""Attributes of a world that goes with people of some heights."""
MADE_BY = tuple(entry.name for entry in catalogue.STAGES if entry.world)
LARGEST = 1e9
"""In units of the world, which need not be metres before stage 2."""
LARGEST_SIDE_PX = 8192


@dataclass(frozen=True)
class WorldFrame:
    """One reconstructed frame at the reconstruction's resolution, up to scale."""

    name: str
    rgb: UInt8[np.ndarray, "H W 3"]
    intrinsic: Float32[np.ndarray, "3 3"]
    T_world_camera: Float32[np.ndarray, "4 4"]
    depth: Float32[np.ndarray, "H W"]
    """z-depth; 0 where there is none."""
    confidence: Float32[np.ndarray, "H W"]
    """0 where there is no depth."""
    dynamic: Bool[np.ndarray, "H W"]
    """People and whatever else moves."""
    affine_original_from_reconstruction: Float[np.ndarray, "2 3"]
    """Takes pixels of the reconstruction to pixels of the original image."""
    time_s: float | None = None
    """Second of the video; None where it is not known."""
    measured: Bool[np.ndarray, "H W"] | None = None
    """Whether the depth is that of what the pixel shows; None: wherever the confidence is not 0.

    `stage1-sfm` also knows the place behind people, and where their bodies are; both have
    confidence, but are not measured.
    """
    behind: Float32[np.ndarray, "H W"] | None = None
    """z-depth of the place that people hide, 0 where it is not known; None: `depth` is the place's
    everywhere, or nothing behind people is known."""
    motion_probability: Float32[np.ndarray, "h w"] | None = None
    """At an eighth of the size, as MegaSaM has it and under its name: 1 where nothing moves."""


def point_map(
    depth: Float[np.ndarray, "H W"],
    intrinsic: Float[np.ndarray, "3 3"],
    T_world_camera: Float[np.ndarray, "4 4"],
) -> Float32[np.ndarray, "H W 3"]:
    """World points of a depth map; pixel centres have integer coordinates."""
    height, width = depth.shape
    z = depth.astype(np.float32)
    x = (np.arange(width, dtype=np.float32) - intrinsic[0, 2]) / intrinsic[0, 0] * z
    y = (np.arange(height, dtype=np.float32) - intrinsic[1, 2])[:, None] / intrinsic[1, 1] * z
    points = np.empty((height, width, 3), np.float32)
    for axis, (rx, ry, rz, t) in enumerate(np.asarray(T_world_camera, np.float32)[:3]):
        points[..., axis] = rx * x + ry * y + rz * z + t
    return points


def write_world(path: Path, frames: Iterable[WorldFrame], **metadata: Any) -> None:
    """Writes a stage-1 file, a frame at a time; `metadata` become attributes without a slash."""
    with created(path) as file:
        group = file.create_group(GROUP)
        for frame in frames:
            entry = group.create_group(frame.name)
            depth = rounded(frame.depth)
            put_array(entry, "rgbimg", frame.rgb.astype(np.uint8))
            put_array(entry, "intrinsic", frame.intrinsic.astype(np.float32))
            put_array(entry, "cam2world", frame.T_world_camera.astype(np.float32))
            put_map(entry, "depths", depth, DEPTH_LEVELS)
            points = point_map(depth, frame.intrinsic, frame.T_world_camera)
            put_map(entry, "pts3d", rounded(points), POINT_LEVELS)
            put_array(entry, "conf", rounded(frame.confidence))
            measured = frame.confidence > 0 if frame.measured is None else frame.measured
            put_array(entry, "msk", measured.astype(bool))
            put_array(entry, "dynamic_msk", frame.dynamic.astype(bool))
            affine = frame.affine_original_from_reconstruction.astype(np.float64)
            put_array(entry, "affine_matrix", affine)
            if frame.behind is not None:
                put_map(entry, BEHIND, rounded(frame.behind), DEPTH_LEVELS)
            if frame.motion_probability is not None:
                put_array(entry, "motion_prob", frame.motion_probability.astype(np.float32))
            if frame.time_s is not None:
                entry.attrs[TIME] = frame.time_s
        for name, value in metadata.items():
            file.attrs[name] = value


def heights_metadata(heights_m: Mapping[int, float]) -> dict[str, Any]:
    """Metadata for `write_world`: heights of people, by id, that this world goes with."""
    return {
        HEIGHT_IDS: np.array(list(heights_m), np.int64),
        HEIGHTS: np.array(list(heights_m.values()), np.float64),
    }


def heights_of(metadata: Mapping[str, Any]) -> dict[int, float]:
    """Heights (m) of people, by id, that a world goes with; empty if it goes with any."""
    ids, heights = metadata.get(HEIGHT_IDS, ()), metadata.get(HEIGHTS, ())
    return {int(person): float(size) for person, size in zip(ids, heights, strict=True)}


@dataclass(frozen=True)
class WorldFrameView:
    """One frame inside an open file; every array is read when it is asked for.

    Raises, with each: ArtifactError, if it is missing, damaged or makes no sense.
    """

    name: str
    group: Group

    @cached_property
    def size(self) -> tuple[int, int]:
        """Height and width."""
        shape = self.group.dataset("depths").shape
        with self.group.reading("depths"):
            checks.has_shape("the map", shape, (None, None))
            if not all(0 < length <= LARGEST_SIDE_PX for length in shape):
                raise ValueError(f"{shape} pixels, expected 1 to {LARGEST_SIDE_PX} a side")
        height, width = shape
        return height, width

    @property
    def rgb(self) -> UInt8[np.ndarray, "H W 3"]:
        image = self.group.array("rgbimg", *self.size, 3)
        if image.dtype != np.uint8:  # Align3R stores floats from 0 to 1.
            image = np.clip(np.nan_to_num(image) * 255.0 + 0.5, 0, 255).astype(np.uint8)
        return image

    @property
    def intrinsic(self) -> Float32[np.ndarray, "3 3"]:
        K = self.group.array("intrinsic", 3, 3).astype(np.float32)
        with self.group.reading("intrinsic"):
            checks.within("focal lengths", K[[0, 1], [0, 1]], 1e-3, 1e6)
            return checks.within("a camera's matrix", K, -1e6, 1e6)

    @property
    def T_world_camera(self) -> Float32[np.ndarray, "4 4"]:
        T = self.group.array("cam2world", 4, 4).astype(np.float32)
        with self.group.reading("cam2world"):
            checks.within("a camera's place", T[:3, 3], -LARGEST, LARGEST)
            checks.rotations("a camera's rotation", T[:3, :3])
        return T

    @property
    def depth(self) -> Float32[np.ndarray, "H W"]:
        return self._map("depths", 0.0)

    @property
    def place_depth(self) -> Float32[np.ndarray, "H W"]:
        """z-depth of the place: behind people that of what they hide, where the file has it."""
        if BEHIND not in self.group:
            return self.depth
        return np.where(self.dynamic, self._map(BEHIND, 0.0), self.depth)

    @property
    def points(self) -> Float32[np.ndarray, "H W 3"]:
        return self._map("pts3d", -LARGEST, 3)

    @property
    def confidence(self) -> Float32[np.ndarray, "H W"]:
        return self._map("conf", -LARGEST)

    @property
    def measured(self) -> Bool[np.ndarray, "H W"]:
        mask = self.group.array("msk", *self.size)
        return mask if mask.dtype == bool else mask > 0.5

    @property
    def dynamic(self) -> Bool[np.ndarray, "H W"]:
        return self.group.array("dynamic_msk", *self.size).astype(bool, copy=False)

    @property
    def motion_probability(self) -> Float32[np.ndarray, "h w"] | None:
        """1 where nothing moves; see `WorldFrame`."""
        if "motion_prob" not in self.group:
            return None
        return self.group.array("motion_prob", None, None).astype(np.float32, copy=False)

    @property
    def affine_original_from_reconstruction(self) -> Float[np.ndarray, "2 3"]:
        affine = self.group.array("affine_matrix", 2, 3).astype(np.float64)
        with self.group.reading("affine_matrix"):
            checks.within("the scale to the original image", affine[[0, 1], [0, 1]], 1e-3, 1e3)
            return checks.within("the map to the original image", affine, -1e6, 1e6)

    @property
    def time_s(self) -> float | None:
        """Second of the video, where the file has it."""
        time_s = self.group.attributes.get(TIME)
        with self.group.reading(TIME):
            return None if time_s is None else checks.finite("the time", time_s)

    def _map(self, name: str, least: float, *channels: int) -> np.ndarray:
        numbers = self.group.array(name, *self.size, *channels).astype(np.float32, copy=False)
        with self.group.reading(name):
            return checks.within("the map", numbers, least, LARGEST)


class FrameGroup:
    """The frames of an open world file (or of the world inside a megahunter file), by name."""

    def __init__(self, group: Group) -> None:
        self.names = group.names
        self._group = group
        with group.reading(""):
            checks.rising("the number of the frame", np.array(self.numbers))
        self._opened: dict[str, WorldFrameView] = {}

    def __len__(self) -> int:
        return len(self.names)

    def __getitem__(self, name: str) -> WorldFrameView:
        if name not in self._opened:  # HDF5 looks a name up and reads its group each time else.
            self._opened[name] = WorldFrameView(name, self._group.group(name))
        return self._opened[name]

    def __iter__(self) -> Iterator[WorldFrameView]:
        return (self[name] for name in self.names)

    @property
    def intrinsics(self) -> Float32[np.ndarray, "T 3 3"]:
        return np.stack([frame.intrinsic for frame in self])

    @property
    def numbers(self) -> list[int]:
        """Numbers of the frames in the video."""
        return [frame_number(name) for name in self.names]

    @property
    def times_s(self) -> list[float]:
        """Seconds of the video; empty where the file does not have them."""
        found = [frame.time_s for frame in self]
        times_s = [time_s for time_s in found if time_s is not None]
        if len(times_s) < len(found):
            return []
        with self._group.reading(TIME):
            checks.rising("the time of a frame", np.array(times_s))
        return times_s

    @property
    def Ts_world_camera(self) -> Float32[np.ndarray, "T 4 4"]:
        return np.stack([frame.T_world_camera for frame in self])


@contextmanager
def opened_world(path: Path) -> Iterator[tuple[FrameGroup, dict[str, Any]]]:
    """Opens a stage-1 file: its frames, read lazily, and its metadata.

    Raises:
        ArtifactError: missing, damaged, or not a stage-1 file.
    """
    with opened(path, remedy(MADE_BY)) as file:
        with file.reading(HEIGHTS):
            for person, height_m in heights_of(file.attributes).items():
                checks.whole("the id of a person", person, 1, LARGEST_ID)
                checks.finite("the height of a person", height_m, 0.1, 10)
        yield FrameGroup(file.group(GROUP)), file.attributes
