"""In which numbers networks compute."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch


@contextmanager
def autocast_bfloat16(device: torch.device | str) -> Iterator[None]:
    """Matrix products in bfloat16 on processors that have units for them (Intel's AMX).

    SAM 2's own demos compute so on GPUs. Elsewhere nothing changes.
    """
    on_cpu = torch.device(device).type == "cpu"
    with torch.autocast("cpu", torch.bfloat16, enabled=on_cpu and has_units()):
        yield


def has_units() -> bool:
    """Whether this processor multiplies matrices in bfloat16."""
    # PyTorch 2.6 and 2.7, those of the CUDA images, cannot tell.
    capabilities: dict = getattr(torch.cpu, "get_capabilities", dict)()
    return bool(capabilities.get("amx_bf16", False))
