"""What networks and solvers run on."""

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
