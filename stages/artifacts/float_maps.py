"""Float maps in HDF5's own shuffle and deflate filters, packed by what each byte can be packed to.

A map is one chunk, filtered as HDF5 itself would: the bytes of all numbers are sorted by their
place in the number, then deflated. Of numbers rounded to 16 bits (`h5tree.rounded`) the lowest
bytes are zero and the highest, sign and exponent, repeat; those between are noise for the most
part, in which to search for repetition takes most of the time and finds little. Deflate may store
bytes as they are, so noise is stored: a point map takes half of its bytes and a third of the time
that LZF takes, and whatever reads HDF5 reads it.
"""

import zlib
from functools import lru_cache

import h5py
import numpy as np
from jaxtyping import Float32, UInt8

Levels = tuple[int, int, int, int]
"""Of zlib, for the lowest to the highest byte of a number; 0 stores."""
POINT_LEVELS: Levels = (1, 0, 0, 1)
DEPTH_LEVELS: Levels = (1, 0, 1, 1)
"""Depth changes less from pixel to pixel than x, y and z do in turn."""
_ZEROS_LEVEL = 1
_DTYPE = np.dtype("<f4")
_FILTERS = [h5py.h5z.FILTER_SHUFFLE, h5py.h5z.FILTER_DEFLATE]
_ZLIB_HEADER = b"\x78\x01"
_RAW_DEFLATE = -15
_SMALL_STREAM = 256 * 1024
"""Bytes; zlib packs up to a thousand into one."""


def put_map(
    group: h5py.Group, name: str, numbers: Float32[np.ndarray, "H W *C"], levels: Levels
) -> None:
    """Stores a map losslessly; one that is not rounded to 16 bits takes longer."""
    dataset = group.create_dataset(
        name,
        numbers.shape,
        _DTYPE,
        chunks=numbers.shape,
        shuffle=True,
        compression="gzip",
        compression_opts=max(levels),
    )
    chunk = _deflated(_shuffled(numbers), levels)
    dataset.id.write_direct_chunk((0,) * numbers.ndim, chunk)


def read_map(dataset: h5py.Dataset) -> Float32[np.ndarray, "H W *C"]:
    """Reads a map; see `read_array`."""
    return read_array(dataset).astype(np.float32, copy=False)


def read_array(dataset: h5py.Dataset) -> np.ndarray:
    """Reads an array, however it is stored; float maps of `put_map` in half of HDF5's time.

    Raises:
        Exception: what is there is damaged, whatever h5py and zlib raise then.
    """
    filters = _filters_of_one_chunk(dataset)
    if not filters:
        return dataset[()]
    shape, dtype = dataset.shape, dataset.dtype  # h5py makes them anew each time.
    _, chunk = dataset.id.read_direct_chunk((0,) * len(shape))
    content = inflated(chunk, dataset.size * dtype.itemsize)
    if filters == _FILTERS[1:] or dtype.itemsize == 1:
        return content.view(dtype).reshape(shape)
    numbers = np.empty((dataset.size, dtype.itemsize), np.uint8)
    for place, plane in enumerate(content.reshape(dtype.itemsize, -1)):
        numbers[:, place] = plane
    return numbers.view(dtype).reshape(shape)


def inflated(stream: bytes, size: int) -> UInt8[np.ndarray, " size"]:
    """What a stream of zlib holds, which must be `size` bytes; never much more is unpacked.

    Raises:
        ValueError: it is more or less.
        zlib.error: damaged.
    """
    if len(stream) <= _SMALL_STREAM:
        unpacked = zlib.decompress(stream, bufsize=max(size, 1))
        if len(unpacked) != size:
            raise ValueError(f"{len(unpacked)} bytes are packed, expected {size}")
        return np.frombuffer(unpacked, np.uint8)
    content, filled, unpacker = np.empty(size, np.uint8), 0, zlib.decompressobj()
    pieces = memoryview(stream)
    for at in range(0, len(stream), _SMALL_STREAM):
        part = unpacker.decompress(pieces[at : at + _SMALL_STREAM])
        if filled + len(part) > size:
            raise ValueError(f"more is packed than the {size} bytes expected")
        content[filled : filled + len(part)] = np.frombuffer(part, np.uint8)
        filled += len(part)
    if filled != size or not unpacker.eof:
        raise ValueError(f"{filled} bytes are packed, expected {size}")
    return content


def _filters_of_one_chunk(dataset: h5py.Dataset) -> list[int]:
    """The filters of a data set that is one chunk, all of them applied; none if it is not."""
    if dataset.chunks != dataset.shape:
        return []
    made = dataset.id.get_create_plist()
    filters = [made.get_filter(place)[0] for place in range(made.get_nfilters())]
    if filters not in (_FILTERS, _FILTERS[1:]) or dataset.id.get_num_chunks() != 1:
        return []
    return filters if dataset.id.get_chunk_info(0).filter_mask == 0 else []


def _shuffled(numbers: Float32[np.ndarray, "H W *C"]) -> UInt8[np.ndarray, "4 N"]:
    """What HDF5's shuffle filter makes of a map: the first bytes of all numbers, the second, ..."""
    values = np.ascontiguousarray(numbers, _DTYPE).reshape(-1, 1).view(np.uint8)
    planes = np.empty(values.shape[::-1], np.uint8)
    for place, plane in enumerate(planes):  # Transposing at once takes twice as long.
        plane[:] = values[:, place]
    return planes


def _deflated(planes: UInt8[np.ndarray, "4 N"], levels: Levels) -> bytes:
    """What HDF5's deflate filter makes of the planes, one after another: a stream of zlib."""
    parts = [_ZLIB_HEADER]
    for place, (plane, level) in enumerate(zip(planes, levels, strict=True)):
        if place == 0 and not plane.any():
            parts.append(_deflated_zeros(len(plane)))
        else:
            parts.append(_deflated_plane(plane, level, last=place == len(levels) - 1))
    parts.append(zlib.adler32(planes.data).to_bytes(4, "big"))
    return b"".join(parts)


def _deflated_plane(plane: UInt8[np.ndarray, " N"], level: int, last: bool) -> bytes:
    packer = zlib.compressobj(level, zlib.DEFLATED, _RAW_DEFLATE)
    # A sync flush ends at a byte's edge, so that the next packer's output can follow.
    return packer.compress(plane.data) + packer.flush(zlib.Z_FINISH if last else zlib.Z_SYNC_FLUSH)


@lru_cache(maxsize=2)
def _deflated_zeros(count: int) -> bytes:
    """The first plane of a rounded map, the same for every frame of a video."""
    return _deflated_plane(np.zeros(count, np.uint8), _ZEROS_LEVEL, last=False)
