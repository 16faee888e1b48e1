"""Damage and malice by kind: bytes of any file, values and structure of known formats."""

import json
import pickle
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np

BAD_NUMBERS = [float("nan"), float("inf"), -1.0, 0.0, 1e30, -1e30, 2**31 - 1, -(2**63), 0.5, 65536]
BAD_VALUES: list[Any] = [
    None, "x", "", [], {}, [[]], True, float("nan"), float("inf"), -1, 0, 1e300, 10**400, -0.5,
    "\ud800", {"1": 1}, [1, 2], "9" * 5000,
]  # fmt: skip


def of_bytes(content: bytes, dice: random.Random) -> bytes:
    """One or a few changes of bytes."""
    changed = bytearray(content)
    for _ in range(dice.choice([1, 1, 1, 2, 5])):
        at = dice.randrange(len(changed) + 1)
        end = min(len(changed), at + dice.choice([1, 1, 2, 4, 8, 64, 512]))
        kind = dice.randrange(9)
        if kind == 0 and at < len(changed):
            changed[at] ^= 1 << dice.randrange(8)
        elif kind == 1:
            changed[at:end] = b"\xff" * (end - at)
        elif kind == 2:
            changed[at:end] = bytes(end - at)
        elif kind == 3:
            changed[at:end] = dice.randbytes(end - at)
        elif kind == 4:
            del changed[at:end]
        elif kind == 5:
            changed[at:at] = changed[at:end]
        elif kind == 6:
            del changed[at:]
        elif kind == 7:
            other = dice.randrange(len(changed) + 1)
            changed[at:end] = changed[other : other + end - at]
        else:
            number = dice.choice([2**31 - 1, 2**32 - 1, 2**63 - 1, 2**64 - 1, 0x7FFF, 1 << 40])
            width = dice.choice([4, 8])
            changed[at : at + width] = (number & (256**width - 1)).to_bytes(width, "little")
    return bytes(changed)


def _change_somewhere(value: Any, dice: random.Random) -> Any:
    if isinstance(value, dict) and value and dice.random() < 0.9:
        key = dice.choice(list(value))
        changed = dict(value)
        if dice.random() < 0.15:
            del changed[key]
        elif dice.random() < 0.15:
            changed[dice.choice(["-1", "x", "0", "99999", ""])] = changed.pop(key)
        else:
            changed[key] = _change_somewhere(value[key], dice)
        return changed
    if isinstance(value, list) and value and dice.random() < 0.9:
        place = dice.randrange(len(value))
        part = [_change_somewhere(value[place], dice)] * dice.choice([0, 1, 1, 1, 2])
        return [*value[:place], *part, *value[place + 1 :]]
    if isinstance(value, np.ndarray):
        return _changed_array(value, dice)
    return dice.choice(BAD_VALUES)


def _changed_array(array: np.ndarray, dice: random.Random) -> np.ndarray:
    kind = dice.randrange(7)
    if kind == 0:
        return array[:-1] if array.ndim else array
    if kind == 1:
        return array[..., None]
    if kind == 2:
        return np.full(array.shape, dice.choice(["x", "nan", "1"]))
    if kind == 3:
        return array.astype(dice.choice([np.int8, np.float64, bool, np.complex64, np.uint64]))
    if kind == 4:
        return np.zeros(dice.choice([(0,), (), (3, 0), (1, 1, 1, 1)]), array.dtype)
    changed = np.array(array, np.float64)
    if changed.size:
        places = changed.reshape(-1)
        size = 1 if kind == 5 else places.size
        start = dice.randrange(places.size - size + 1)
        places[start : start + size] = dice.choice(BAD_NUMBERS)
    return changed


def of_json(path: Path, dice: random.Random) -> None:
    changed = _change_somewhere(json.loads(path.read_text()), dice)
    path.write_text(json.dumps(changed), errors="surrogatepass")


def of_pickle(path: Path, dice: random.Random) -> None:
    changed = _change_somewhere(pickle.loads(path.read_bytes()), dice)
    path.write_bytes(pickle.dumps(changed, protocol=dice.choice([0, 2, 4, 5])))


def of_npz(path: Path, dice: random.Random) -> None:
    with np.load(path) as file:
        arrays = dict(file)
    name = dice.choice(list(arrays))
    if dice.random() < 0.1:
        del arrays[name]
    else:
        arrays[name] = _changed_array(arrays[name], dice)
    np.savez_compressed(path, **arrays)


def of_hdf5(path: Path, dice: random.Random) -> None:
    """Values, shapes, types, links and attributes."""
    with h5py.File(path, "r+") as file:
        arrays: list[str] = []
        groups: list[str] = ["/"]
        file.visititems(
            lambda name, item: (groups if isinstance(item, h5py.Group) else arrays).append(name)
        )
        name, group = dice.choice(arrays), file[dice.choice(groups)]
        kind = dice.randrange(10)
        if kind < 4:
            array = file[name][()]
            if array.dtype.kind == "O":
                array = np.array(["x", "00001"], dtype=object)
                changed, dtype = array[: dice.randrange(3)], h5py.string_dtype()
            else:
                changed = _changed_array(array, dice)
                dtype = h5py.string_dtype() if changed.dtype.kind == "U" else None
                changed = changed.astype(object) if dtype else changed
                if dice.random() < 0.7 and not dtype and changed.dtype.kind == "f":
                    with np.errstate(all="ignore"):
                        changed = changed.astype(array.dtype)
            del file[name]
            file.create_dataset(name, data=changed, dtype=dtype)
        elif kind == 4:
            del file[dice.choice([*arrays, *groups[1:]])]
        elif kind == 5 and group.attrs:
            attribute = dice.choice(list(group.attrs))
            group.attrs[attribute] = dice.choice([float("nan"), -1, "x", [1, 2], [], 0, 1e300])
        elif kind == 6:
            del file[name]
            file[name] = dice.choice(
                [
                    h5py.SoftLink("/nowhere"),
                    h5py.SoftLink("/"),
                    h5py.ExternalLink("other.h5", "/"),
                    h5py.ExternalLink(str(path), "/"),
                ]
            )
        elif kind == 7:
            group[f"{dice.randrange(99)}"] = group
        elif kind == 8:
            shape = dice.choice([(10**9, 10**9), (2**20, 2**20, 4), (50_000, 50_000), (0,)])
            del file[name]
            file.create_dataset(
                name, shape, "f4", chunks=tuple(min(each or 1, 99) for each in shape)
            )
        else:
            del file[name]
            layout = h5py.VirtualLayout((4, 4), "f4")
            layout[...] = h5py.VirtualSource("other.h5", "x", (4, 4))
            file.create_virtual_dataset(name, layout)


_BY_ENDING: dict[str, Callable[[Path, random.Random], None]] = {
    ".json": of_json, ".pkl": of_pickle, ".npz": of_npz, ".h5": of_hdf5,
}  # fmt: skip


def mutate(path: Path, good: bytes, dice: random.Random) -> None:
    """Puts a changed file in the place of the good one."""
    path.unlink(missing_ok=True)
    by_format = _BY_ENDING.get(path.suffix)
    path.write_bytes(good)
    if by_format is not None and dice.random() < 0.5:
        try:
            by_format(path, dice)
            return
        except (ValueError, TypeError, OverflowError, OSError):
            path.write_bytes(good)  # Not every change can be written.
    path.write_bytes(of_bytes(good, dice))
