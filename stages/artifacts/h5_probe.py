"""A process of its own that goes through HDF5 files before they are read.

A damaged file may keep the HDF5 library at work for ever or crash the process, and no thread can
end that. So each file is first gone through here: links, shapes, storage, filters and attributes,
but no data. It is run as a script, because nothing but h5py is to be imported.

A line in is a path, in JSON. Lines out are the groups that were gone through, in JSON, each after
`+`, then what is wrong with the file after `.`: an empty text for nothing.
"""

import json
import resource
import signal
import sys
from collections import deque
from typing import Any

import h5py
from h5py import h5a, h5d, h5g, h5l, h5o, h5p, h5t, h5z

CPU_SECONDS = 2.0
"""For one object of a file; the slowest good one takes some milliseconds."""
_SECONDS_AN_OBJECT = 0.02
"""What is added to what is left of these for each; so many slow ones come to an end, too."""
LARGEST_ARRAY_BYTES = 512 * 1024**2
LARGEST_ATTRIBUTE_BYTES = 64 * 1024**2
_MEMORY_BYTES = 4 * 1024**3
_FILTERS = {h5z.FILTER_SHUFFLE, h5z.FILTER_DEFLATE, h5z.FILTER_FLETCHER32, h5z.FILTER_LZF}
_KINDS = {h5t.INTEGER, h5t.FLOAT, h5t.ENUM, h5t.STRING}


class _ProblemError(Exception):
    """What is wrong with a file, in words."""


def probe(path: str) -> None:
    """Goes through a file, groups near the root first, and says which are done.

    Raises:
        _ProblemError: something is in it that no file of this project's has.
        Exception: whatever h5py makes of damage.
    """
    with h5py.File(path, "r", locking=False) as file:
        size = file.id.get_filesize()
        seen: set[int] = set()
        waiting = deque([("/", h5o.open(file.id, b"/"))])
        while waiting:
            place, group = waiting.popleft()
            _check_attributes(group, place)
            for name in list(group):
                left_s = signal.getitimer(signal.ITIMER_PROF)[0] + _SECONDS_AN_OBJECT
                signal.setitimer(signal.ITIMER_PROF, min(left_s, CPU_SECONDS))
                inside = f"{place.rstrip('/')}/{name.decode(errors='replace')}"
                link = group.links.get_info(name)
                if link.type not in (h5l.TYPE_HARD, h5l.TYPE_SOFT):
                    raise _ProblemError(
                        f"{inside} is a link to another file, which is not followed"
                    )
                item = h5o.open(group, name)
                address = link.u if link.type == h5l.TYPE_HARD else h5o.get_info(item).addr
                if address in seen:
                    continue
                seen.add(address)
                if isinstance(item, h5d.DatasetID):
                    _check_attributes(item, inside)
                    _check_storage(item, inside, size)
                elif isinstance(item, h5g.GroupID):
                    waiting.append((inside, item))
                else:
                    raise _ProblemError(f"{inside} is neither a group nor an array")
            print("+" + json.dumps(place), flush=len(waiting) % 8 == 0)


def _bytes_of(shape: tuple[int, ...], itemsize: int) -> int:
    total = itemsize
    for length in shape:
        total *= length
    return total


def _check_storage(dataset: h5d.DatasetID, place: str, file_bytes: int) -> None:
    made, kind, shape = dataset.get_create_plist(), dataset.get_type(), dataset.shape
    layout = made.get_layout()
    if layout not in (h5d.COMPACT, h5d.CONTIGUOUS, h5d.CHUNKED):
        raise _ProblemError(f"{place} is put together from other arrays, which are not read")
    if kind.get_class() not in _KINDS:
        raise _ProblemError(f"{place} holds neither numbers nor text")
    if shape is None:
        raise _ProblemError(f"{place} is empty")
    if _bytes_of(shape, kind.get_size()) > LARGEST_ARRAY_BYTES:
        raise _ProblemError(f"{place} is {' x '.join(map(str, shape))}, which is too large")
    if layout == h5d.CONTIGUOUS:
        if made.get_external_count():
            raise _ProblemError(f"{place} lies in another file, which is not read")
        start = dataset.get_offset()
        if start is not None and start + dataset.get_storage_size() > file_bytes:
            raise _ProblemError(f"{place} goes on after the end of the file")
    if layout == h5d.CHUNKED:
        _check_chunks(dataset, made, place, file_bytes)
    if kind.get_class() == h5t.STRING and kind.is_variable_str():
        h5py.Dataset(dataset)[()]  # It lies in a heap of the file, where anything can be.


def _check_chunks(dataset: h5d.DatasetID, made: h5p.PropDCID, place: str, file_bytes: int) -> None:
    if unknown := {made.get_filter(at)[0] for at in range(made.get_nfilters())} - _FILTERS:
        raise _ProblemError(f"{place} is packed by an unknown method ({min(unknown)})")
    if _bytes_of(made.get_chunk(), dataset.get_type().get_size()) > LARGEST_ARRAY_BYTES:
        raise _ProblemError(f"{place} has a chunk of {made.get_chunk()}, which is too large")

    def check(chunk: h5d.StoreInfo) -> None:
        if chunk.byte_offset is None or chunk.byte_offset + chunk.size > file_bytes:
            raise _ProblemError(f"{place} goes on after the end of the file")

    if dataset.get_num_chunks():
        dataset.chunk_iter(check)


def _check_attributes(item: Any, place: str) -> None:
    for index in range(h5a.get_num_attrs(item)):
        attribute = h5a.open(item, index=index)
        name = f"attribute {attribute.name.decode(errors='replace')} of {place}"
        kind = attribute.get_type()
        if kind.get_class() not in _KINDS:
            raise _ProblemError(f"{name} holds neither numbers nor text")
        if _bytes_of(attribute.shape or (), kind.get_size()) > LARGEST_ATTRIBUTE_BYTES:
            raise _ProblemError(f"{name} is too large")
        h5py.AttributeManager(_Holder(item))[attribute.name]


class _Holder:
    """What h5py reads attributes from."""

    def __init__(self, item: Any) -> None:
        self.id = item


def main() -> None:
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_BYTES, _MEMORY_BYTES))
    for line in sys.stdin:
        # Nobody handles its signal, so it ends the process, also where the library does not return.
        signal.setitimer(signal.ITIMER_PROF, CPU_SECONDS)
        try:
            probe(json.loads(line))
            answer = ""
        except _ProblemError as problem:
            answer = str(problem)
        except Exception as error:
            answer = f"damaged ({type(error).__name__}: {error})"
        signal.setitimer(signal.ITIMER_PROF, 0)
        print("." + json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
