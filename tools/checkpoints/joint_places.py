"""Where in a feature map joints are: teaches a trunk where to look, in training only."""

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor


def place_losses(
    logits: Float[Tensor, "n cells J"],
    depths_m: Float[Tensor, "n cells J"],
    at_cell: Float[Tensor, "n J 2"],
    true_depths_m: Float[Tensor, "n J"],
    grid: tuple[int, int],
) -> tuple[Tensor, Tensor]:
    """Cross entropy of the cells that joints lie in, and how wrong depths read there are (metres).

    at_cell: column and row of each joint, in cells; a joint between cells counts for its
    neighbours by nearness. Joints outside the grid do not count.
    """
    rows, columns = grid
    y = torch.arange(rows, device=at_cell.device) - at_cell[..., 1:]
    x = torch.arange(columns, device=at_cell.device) - at_cell[..., :1]
    target = (F.relu(1 - y.abs())[..., :, None] * F.relu(1 - x.abs())[..., None, :]).flatten(2)
    log_p = logits.transpose(1, 2).log_softmax(-1)
    places = -(target * log_p).sum(-1)
    here = (log_p.exp() * depths_m.transpose(1, 2)).sum(-1)
    inside = target.sum(-1) > 0.5
    count = inside.sum().clamp(min=1)
    wrong = (here - true_depths_m).abs()
    return (places * inside).sum() / count, (wrong * inside).sum() / count
