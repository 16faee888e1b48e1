"""What can be told of a file without reading it whole: whether it is a checkpoint at all."""

import json
import struct
import zipfile
from pathlib import Path

_WEB = (b"<!doctype", b"<html", b"<head", b"<?xml")
_POINTER = b"version https://git-lfs"
_ZIP = b"PK\x03\x04"
_METADATA = "__metadata__"


def is_web_page(start: bytes) -> bool:
    """Whether content begins as web pages do: a login, or an error, in place of a file."""
    return start.lstrip(b"\xef\xbb\xbf \t\r\n").lower().startswith(_WEB)


def is_zip(path: Path) -> bool:
    """Whether a file begins as archives do, PyTorch's own among them."""
    with open(path, "rb") as file:
        return file.read(len(_ZIP)) == _ZIP


def what_is_wrong(path: Path) -> str:
    """Why a file cannot be what it is meant to be: empty, a web page, cut short; else nothing."""
    size = path.stat().st_size
    with open(path, "rb") as file:
        start = file.read(512)
    if not size:
        return "is empty"
    if is_web_page(start):
        return "is a web page (a login or an error), no checkpoint"
    if start.startswith(_POINTER):
        return "is a pointer of Git LFS, not the file itself"
    if start.startswith(_ZIP) and not zipfile.is_zipfile(path):
        return f"is cut short, at {size} bytes"
    if path.suffix == ".safetensors":
        return _wrong_with_safetensors(path, size, start)
    return ""


def _wrong_with_safetensors(path: Path, size: int, start: bytes) -> str:
    """The file begins with the length of a JSON header, which says where each tensor ends."""
    if len(start) < 9 or start[8:9] != b"{":
        return "is no safetensors file"
    (header,) = struct.unpack("<Q", start[:8])
    if 8 + header > size:
        return f"is cut short, at {size} bytes"
    with open(path, "rb") as file:
        file.seek(8)
        try:
            tensors = json.loads(file.read(header))
            ends = [each["data_offsets"][1] for key, each in tensors.items() if key != _METADATA]
        except (ValueError, TypeError, KeyError, IndexError):
            return "is no safetensors file"
    expected = 8 + header + max(ends, default=0)
    return f"is cut short, {size} of {expected} bytes" if size < expected else ""
