"""Files of PyTorch and safetensors, read as data: nothing in them is executed.

Of what a pickle may name, tensors, plain containers, NumPy's numbers and the options of a training
run are admitted.
"""

import argparse
import re
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from stages.weights.errors import WeightsError, shown
from stages.weights.looks import is_zip
from stages.weights.remedy import require, with_remedy

_NUMBERS = "biufc"
"""NumPy's kinds of truth values and numbers."""


def _dtype(name: str, *_flags: object) -> np.dtype:
    dtype = np.dtype(name)
    if dtype.kind not in _NUMBERS:
        raise TypeError(f"numpy.dtype({name}) is no number")
    return dtype


def _scalar(dtype: np.dtype, raw: bytes) -> np.generic:
    if not isinstance(dtype, np.dtype) or dtype.kind not in _NUMBERS or not isinstance(raw, bytes):
        raise TypeError("a NumPy scalar is no number")
    return np.frombuffer(raw, dtype)[0]


_ADMITTED: list[Any] = [
    # A bag of options: filling it runs nothing.
    argparse.Namespace,
    (_dtype, "numpy.dtype"),
    (_scalar, "numpy.core.multiarray.scalar"),
    (_scalar, "numpy._core.multiarray.scalar"),
    # Whose state may be set: byte order and flags.
    *{type(np.dtype(code)) for code in "?bBhHiIlLqQefdgFDG"},
]


def read_torch(path: Path) -> Any:
    """What a file of `torch.save` holds, of any version; large ones stay mapped to the disk.

    Raises:
        WeightsError: it is missing, damaged, no such file, or holds more than data.
    """
    require(path)
    try:
        with torch.serialization.safe_globals(_ADMITTED):
            # Only archives, which PyTorch writes since 1.6, can be mapped.
            return torch.load(path, map_location="cpu", weights_only=True, mmap=is_zip(path))
    except MemoryError:
        raise
    except Exception as error:  # zip, pickle, and PyTorch's own in several kinds
        raise WeightsError(f"{shown(path)} {_reason(error)}") from None


def read_safetensors(path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    """All tensors of a safetensors file, and its metadata.

    Raises:
        WeightsError: it is missing, damaged or no such file.
    """
    require(path)
    try:
        with safe_open(path, framework="pt") as file:
            names = list(file.keys())
            return {name: file.get_tensor(name) for name in names}, file.metadata() or {}
    except (SafetensorError, OSError) as error:
        said = f"{shown(path)} is damaged or cut short ({str(error)[:60]})"
        raise WeightsError(with_remedy(said, path)) from None


def _reason(error: Exception) -> str:
    text = " ".join(str(error).split())
    if named := re.search(r"(?:GLOBAL|Unsupported global:?(?: GLOBAL)?|class) ([\w.]+\.\w+)", text):
        return f"holds {named[1]}, which is no data: not loaded; use a file from its source"
    if isinstance(error, TypeError):
        return f"holds more than data ({text[:60]}): not loaded; use a file from its source"
    return f"is damaged or no checkpoint ({text[:70]}): bring it anew"
