"""What networks and solvers run on."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    import torch


def torch_device() -> str:
    """`cuda` where PyTorch has a GPU, else `cpu`."""
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"


def sent(array: "np.ndarray", device: "torch.device | str") -> "torch.Tensor":
    """An array on the network's device, without waiting for the work that the device has."""
    import torch

    tensor = torch.from_numpy(array)
    if torch.device(device).type == "cuda":
        # From memory that may be paged out, a copy waits its turn and so does the program.
        tensor = tensor.pin_memory()
    return tensor.to(device, non_blocking=True)


def fetched(maps: "Iterable[torch.Tensor]") -> "list[np.ndarray]":
    """Maps of ids (int32) as uint16 arrays; the device is waited for once, after the last."""
    import numpy as np
    import torch

    small = [each.to(torch.int16).to("cpu", non_blocking=True) for each in maps]
    if torch.cuda.is_available():
        torch.cuda.current_stream().synchronize()
    return [each.numpy().view(np.uint16) for each in small]
