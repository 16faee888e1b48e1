"""Files in official layouts that take no room: every tensor is one zero, seen many times."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor


def zeros(shapes: Mapping[str, Any]) -> dict[str, Tensor]:
    """A state of these shapes; counters are whole numbers."""
    kinds = {key: torch.int64 if key.endswith("tracked") else torch.float32 for key in shapes}
    return {
        key: torch.zeros((), dtype=kinds[key]).expand(tuple(shape)) for key, shape in shapes.items()
    }


def write(path: Path, content: Any, is_archive: bool = True) -> Path:
    torch.save(content, path, _use_new_zipfile_serialization=is_archive)
    return path
