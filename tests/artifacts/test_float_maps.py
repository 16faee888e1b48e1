"""Point maps and depth maps: plain HDF5 for every reader, lossless, and small."""

import zlib

import h5py
import numpy as np
import pytest

from stages.artifacts.float_maps import DEPTH_LEVELS, POINT_LEVELS, put_map, read_map
from stages.artifacts.h5tree import put_array, rounded
from stages.artifacts.world import point_map

SHAPES = [(1, 1), (5, 3), (288, 512), (1, 1, 3), (1, 7, 3), (13, 1, 3), (37, 53, 3), (288, 512, 3)]


def bits(array: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(array, np.float32).view(np.uint32)


def odd_numbers(shape: tuple[int, ...]) -> np.ndarray:
    """All kinds of float32: any 32 bits, so also NaN, infinities, and subnormal numbers."""
    rng = np.random.default_rng(0)
    numbers = rng.integers(0, 2**32, shape, np.uint32).view(np.float32)
    special = np.array([np.nan, np.inf, -np.inf, 0.0, -0.0, 1e-45, -1.5], np.float32)
    numbers.reshape(-1)[: len(special)] = special[: numbers.size]
    return numbers


def place(noise_m: float) -> np.ndarray:
    """Points of a wavy wall 3 m away whose depth is noisy, from a tilted camera."""
    rng = np.random.default_rng(0)
    y, x = np.mgrid[:288, :512]
    depth = 3 + 0.5 * np.sin(x / 90) + 0.4 * np.cos(y / 70) + noise_m * rng.normal(size=x.shape)
    depth[:40] = 0
    T = np.eye(4)
    T[:3, :3] = np.linalg.qr(rng.normal(size=(3, 3)))[0]
    K = np.array([[450.0, 0, 256], [0, 450, 144], [0, 0, 1]])
    return rounded(point_map(depth.astype(np.float32), K, T))


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("kind", ["odd", "rounded", "zero"])
@pytest.mark.parametrize("levels", [POINT_LEVELS, DEPTH_LEVELS])
def test_plain_h5py_reads_every_bit(tmp_path, shape, kind, levels):
    points = odd_numbers(shape)
    if kind != "odd":
        numbers = np.random.default_rng(1).normal(size=shape).astype(np.float32)
        points = rounded(numbers) if kind == "rounded" else np.zeros_like(numbers)
    with h5py.File(tmp_path / "p.h5", "w") as file:
        put_map(file, "pts3d", points, levels)
    with h5py.File(tmp_path / "p.h5") as file:
        dataset = file["pts3d"]
        assert dataset.dtype == np.float32
        assert np.array_equal(bits(dataset[:]), bits(points))
        assert np.array_equal(bits(read_map(dataset)), bits(points))
        assert np.array_equal(bits(dataset[0, :1]), bits(points[0, :1]))


def test_views_of_other_layouts_and_types_are_stored_as_they_read(tmp_path):
    points = np.random.default_rng(0).normal(size=(3, 20, 30)).transpose(2, 1, 0)
    with h5py.File(tmp_path / "p.h5", "w") as file:
        put_map(file, "pts3d", points, POINT_LEVELS)
        assert np.array_equal(file["pts3d"][:], points.astype(np.float32))


def test_the_filters_are_standard_and_undone_by_hand(tmp_path):
    """What HDF5's documents say of shuffle and deflate, without HDF5's filters."""
    points = place(0.01)
    with h5py.File(tmp_path / "p.h5", "w") as file:
        put_map(file, "pts3d", points, POINT_LEVELS)
        dataset = file["pts3d"]
        assert (dataset.compression, dataset.shuffle, dataset.chunks) == (
            "gzip",
            True,
            (288, 512, 3),
        )
        mask, chunk = dataset.id.read_direct_chunk((0, 0, 0))
        assert mask == 0
        shuffled = np.frombuffer(zlib.decompress(chunk), np.uint8).reshape(4, -1)
        assert np.array_equal(shuffled.T.copy().view("<f4").reshape(points.shape), points)


def test_a_copy_in_another_file_reads_the_same(tmp_path):
    points = place(0.01)
    with h5py.File(tmp_path / "a.h5", "w") as a, h5py.File(tmp_path / "b.h5", "w") as b:
        put_map(a, "pts3d", points, POINT_LEVELS)
        b.copy(a["pts3d"], b, "pts3d")
        assert np.array_equal(b["pts3d"][:], points)
        assert np.array_equal(read_map(b["pts3d"]), points)


def store_by_lzf(file: h5py.File, points: np.ndarray) -> None:
    put_array(file, "pts3d", points)


def store_by_hdf5(file: h5py.File, points: np.ndarray) -> None:
    file.create_dataset("pts3d", data=points, chunks=points.shape, compression="gzip", shuffle=True)


def store_unshuffled(file: h5py.File, points: np.ndarray) -> None:
    file.create_dataset("pts3d", data=points, chunks=points.shape, compression="gzip")


def store_in_doubles(file: h5py.File, points: np.ndarray) -> None:
    doubles = points.astype(np.float64)
    file.create_dataset(
        "pts3d", data=doubles, chunks=points.shape, compression="gzip", shuffle=True
    )


def store_in_tiles(file: h5py.File, points: np.ndarray) -> None:
    file.create_dataset("pts3d", data=points, chunks=(64, 64, 3), compression="gzip", shuffle=True)


def store_plainly(file: h5py.File, points: np.ndarray) -> None:
    file["pts3d"] = points


def store_with_a_filter_left_out(file: h5py.File, points: np.ndarray) -> None:
    dataset = file.create_dataset(
        "pts3d", points.shape, "<f4", chunks=points.shape, compression="gzip", shuffle=True
    )
    dataset.id.write_direct_chunk((0, 0, 0), points.tobytes(), filter_mask=0b11)


def store_nothing(file: h5py.File, points: np.ndarray) -> None:
    points[:] = 0
    file.create_dataset(
        "pts3d", points.shape, "<f4", chunks=points.shape, compression="gzip", shuffle=True
    )


@pytest.mark.parametrize(
    "store",
    [
        store_by_lzf,
        store_by_hdf5,
        store_unshuffled,
        store_in_doubles,
        store_in_tiles,
        store_plainly,
        store_with_a_filter_left_out,
        store_nothing,
    ],
)
def test_maps_stored_in_any_other_way_are_read(tmp_path, store):
    points = place(0.01)
    with h5py.File(tmp_path / "p.h5", "w") as file:
        store(file, points)
    with h5py.File(tmp_path / "p.h5") as file:
        found = read_map(file["pts3d"])
        assert found.dtype == np.float32
        assert np.array_equal(found, points)


@pytest.mark.parametrize("noise_m", [0.0, 0.01, 0.3])
def test_a_map_takes_little_more_than_half_of_its_bytes(tmp_path, noise_m):
    points = place(noise_m)
    with h5py.File(tmp_path / "p.h5", "w") as file:
        put_map(file, "pts3d", points, POINT_LEVELS)
        assert file["pts3d"].id.get_storage_size() < 0.55 * points.nbytes
