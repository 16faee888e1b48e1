"""Where the cells of a feature map are."""

import torch
from jaxtyping import Float
from torch import Tensor


def cell_grid(like: Float[Tensor, "*B h w"]) -> Float[Tensor, "h w 2"]:
    """Column and row of every cell, of the type and on the device of a map."""
    high, wide = like.shape[-2:]
    y, x = torch.meshgrid(
        torch.arange(high, dtype=like.dtype, device=like.device),
        torch.arange(wide, dtype=like.dtype, device=like.device),
        indexing="ij",
    )
    return torch.stack([x, y], dim=-1)
