"""What networks and solvers run on."""

from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import TYPE_CHECKING

from stages.running import machine

if TYPE_CHECKING:
    import numpy as np
    import torch


def torch_device() -> str:
    """`cuda` where PyTorch has a GPU, else `cpu`."""
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"


def free_bytes(device: str) -> int:
    """Of the device's memory; what PyTorch keeps for later is free."""
    import torch

    if device == "cuda":
        kept = torch.cuda.memory_reserved() - torch.cuda.memory_allocated()
        return torch.cuda.mem_get_info()[0] + kept
    return int(machine.free_memory_mb() * 2**20)


def sent(array: "np.ndarray", device: "torch.device | str") -> "torch.Tensor":
    """An array on the network's device, without waiting for the work that the device has."""
    import torch

    tensor = torch.from_numpy(array)
    if torch.device(device).type == "cuda":
        # From memory that may be paged out, a copy waits its turn and so does the program.
        tensor = tensor.pin_memory()
    return tensor.to(device, non_blocking=True)


def fetching(tensors: "Iterable[torch.Tensor]") -> "Callable[[], list[torch.Tensor]]":
    """Begins to bring tensors from the network's device; the call waits for them alone."""
    import torch

    coming = [each.to("cpu", non_blocking=True) for each in tensors]
    there = torch.cuda.Event() if torch.cuda.is_available() else None
    if there is not None:
        there.record()

    def wait() -> "list[torch.Tensor]":
        if there is not None:
            there.synchronize()
        return coming

    return wait


@lru_cache(maxsize=64)
def constant(values: tuple[float, ...], device: "torch.device | str") -> "torch.Tensor":
    """Numbers on the network's device, sent once: to send them waits for the work that it has."""
    import torch

    with torch.inference_mode(False):  # Training uses them as well.
        return torch.tensor(values, device=device)
