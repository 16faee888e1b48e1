"""What networks and solvers run on."""


def torch_device() -> str:
    """`cuda` where PyTorch has a GPU, else `cpu`."""
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"
