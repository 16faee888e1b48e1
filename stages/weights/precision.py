"""In which numbers networks compute."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch

HALF_ON_GPU = {
    "grounding_dino": None,
    "sam2": torch.bfloat16,
    "vitpose": torch.float16,
    "vimo": torch.float16,
    "bstro": torch.float16,
}
"""Of matrix products and convolutions; None for float32. SAM 2's own demos compute so."""

BFLOAT16_ON_CPU = frozenset({"sam2", "vitpose"})
"""Only on processors that have units for it (Intel's AMX)."""


@contextmanager
def autocast(network: str, device: torch.device | str) -> Iterator[None]:
    """Half precision where the network's results bear it; elsewhere nothing changes."""
    kind = torch.device(device).type
    if kind == "cpu":
        half = torch.bfloat16 if network in BFLOAT16_ON_CPU and has_units() else None
    else:
        half = HALF_ON_GPU[network]
    with torch.autocast(kind, half, enabled=half is not None):
        yield


def has_units() -> bool:
    """Whether this processor multiplies matrices in bfloat16."""
    # PyTorch 2.6 and 2.7, those of the CUDA images, cannot tell.
    capabilities: dict = getattr(torch.cpu, "get_capabilities", dict)()
    return bool(capabilities.get("amx_bf16", False))
