"""What is installed runs on a bare system: its libraries come with it, but for the most common."""

import mmap
import struct
import sysconfig
from pathlib import Path

import numpy as np

SITE_PACKAGES = Path(sysconfig.get_path("platlib"))
# glibc's own, GCC's two and OpenMP; and zlib, which wheels are promised (manylinux, PEP 513) and
# which Python's own zipfile links. Any system with Python has them, or its package libgomp1.
ON_EVERY_SYSTEM = {
    "ld-linux-aarch64.so.1",
    "ld-linux-x86-64.so.2",
    "libc.so.6",
    "libdl.so.2",
    "libgcc_s.so.1",
    "libgomp.so.1",
    "libm.so.6",
    "libmvec.so.1",
    "libpthread.so.0",
    "librt.so.1",
    "libstdc++.so.6",
    "libz.so.1",
}
# Of the driver, without which nobody loads what asks for it: CUDA builds of PyTorch.
OF_NVIDIA = {"libcuda.so.1", "libnvidia-ml.so.1"}
FOR_DEVICES = {"nvidia", "vendors"}
"""Folders of parts that are loaded where their device is: NVIDIA's packages (InfiniBand and the
like), and those of LiteRT for the accelerators of phones."""
LOAD, DYNAMIC = 1, 2
NEEDED, STRING_TABLE = 1, 5


def needed(path: Path) -> list[str]:
    """The shared libraries that an ELF file (64 bits, little-endian) asks for by name.

    Empty for other files. Layout: System V ABI, chapter 5; `man 5 elf`.
    """
    with path.open("rb") as file:
        if file.read(6) != b"\x7fELF\x02\x01":
            return []
        content = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    (start,) = struct.unpack_from("<Q", content, 0x20)
    size, count = struct.unpack_from("<HH", content, 0x36)
    segments = [struct.unpack_from("<IIQQQQ", content, start + size * i) for i in range(count)]
    entries: list[tuple[int, int]] = []
    for kind, _, offset, _, _, length in segments:
        if kind == DYNAMIC:
            entries = list(struct.iter_unpack("<qQ", content[offset : offset + length]))
    table = next((value for tag, value in entries if tag == STRING_TABLE), 0)
    for kind, _, offset, address, _, length in segments:
        if kind == LOAD and address <= table < address + length:
            table += offset - address
            break
    places = [table + value for tag, value in entries if tag == NEEDED]
    return [content[place : content.find(b"\0", place)].decode() for place in places]


def missing(folder: Path) -> dict[str, list[str]]:
    """Files that ask for a library that neither the folder nor every system has."""
    libraries = [path for path in folder.rglob("*.so*") if path.is_file()]
    there = {path.name for path in libraries} | ON_EVERY_SYSTEM | OF_NVIDIA
    lacking = {
        str(path.relative_to(folder)): [name for name in needed(path) if name not in there]
        for path in libraries
        if not FOR_DEVICES & set(path.relative_to(folder).parts)
    }
    return {path: names for path, names in lacking.items() if names}


def test_nothing_that_is_installed_needs_more_than_every_system_has():
    assert missing(SITE_PACKAGES) == {}


def test_a_library_that_asks_for_another_one_is_found(tmp_path):
    extension = next(Path(np.__file__).parent.rglob("_multiarray_umath*.so"))
    assert "libc.so.6" in needed(extension)
    (tmp_path / "module.so").write_bytes(extension.read_bytes().replace(b"libc.so.6", b"libEGL.so"))
    assert "libEGL.so" in missing(tmp_path)["module.so"]


def test_a_library_of_a_neighbouring_package_is_not_missing(tmp_path):
    extension = next(Path(np.__file__).parent.rglob("_multiarray_umath*.so"))
    (tmp_path / "package").mkdir()
    (tmp_path / "package" / "module.so").write_bytes(extension.read_bytes())
    for name in needed(extension):
        (tmp_path / name).touch()
    assert missing(tmp_path) == {}
