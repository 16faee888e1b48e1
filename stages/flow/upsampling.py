"""From cells to pixels by learned weights of the nine cells around (RAFT, ECCV 2020)."""

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from stages.flow.config import CELL_PX


def convex_upsample(
    field: Float[Tensor, "n d h w"], logits: Float[Tensor, "n c h w"]
) -> Float[Tensor, "n d 8*h 8*w"]:
    """Every pixel is a convex combination of its cell and the eight cells around it.

    `logits`: their weights before the softmax; channels are neighbour, row and column in the cell,
    the last fastest. Cells outside of the field count as zero.
    """
    n, d, h, w = field.shape
    weights = logits.view(n, 1, 9, CELL_PX, CELL_PX, h, w).softmax(dim=2)
    around = F.unfold(field, 3, padding=1).view(n, d, 9, 1, 1, h, w)
    pixels = (weights * around).sum(dim=2)
    return torch.einsum("ndabhw->ndhawb", pixels).reshape(n, d, CELL_PX * h, CELL_PX * w)
