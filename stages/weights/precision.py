"""In which numbers networks compute."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TypeVar

import torch
from torch import nn

M = TypeVar("M", bound=nn.Module)

PRODUCTS = (nn.Linear, nn.Conv1d, nn.Conv2d, nn.ConvTranspose2d)

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


def half_of(network: str, device: torch.device | str) -> torch.dtype | None:
    """The half precision that the network's results bear on a device; None for float32."""
    if torch.device(device).type == "cpu":
        return torch.bfloat16 if network in BFLOAT16_ON_CPU and has_units() else None
    return HALF_ON_GPU[network]


@contextmanager
def autocast(half: torch.dtype | None, device: torch.device | str) -> Iterator[None]:
    """Products in half precision; None changes nothing."""
    kind, enabled = torch.device(device).type, half is not None
    # Weights are converted already, and what a recording keeps must not be used elsewhere.
    with torch.autocast(kind, half, enabled=enabled, cache_enabled=False):
        yield


def on_device(model: M, half: torch.dtype | None, device: torch.device | str) -> M:
    """The network on a device, its products' weights in the precision that they are used in.

    Autocast would convert them anew in every batch. Norms stay in float32, as autocast has them.
    """
    model.to(device)
    for module in model.modules():
        if half is not None and isinstance(module, PRODUCTS):
            module.to(half)
    return model


def has_units() -> bool:
    """Whether this processor multiplies matrices in bfloat16."""
    # PyTorch 2.6 and 2.7, those of the CUDA images, cannot tell.
    capabilities: dict = getattr(torch.cpu, "get_capabilities", dict)()
    return bool(capabilities.get("amx_bf16", False))
