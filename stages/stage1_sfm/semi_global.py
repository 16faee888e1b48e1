"""Smooths a cost volume along image lines, so that textureless stretches follow their borders.

Hirschmueller 2008, eq. 13, along four directions.
"""

import torch
from jaxtyping import Float
from torch import Tensor

STEP_PENALTY = 0.15
"""For a change by one hypothesis: slanted surfaces."""
JUMP_PENALTY = 0.8
"""For a larger change, where the image is even."""
JUMP_CONTRAST = 0.06
"""Grey difference of neighbours at which a jump costs half."""


def _pass(cost: Float[Tensor, "N L M D"], jump: Float[Tensor, "N L M"]) -> Float[Tensor, "N L M D"]:
    """Accumulates along dimension L, each of the M lines for itself."""
    total = torch.empty_like(cost)
    total[:, 0] = cost[:, 0]
    # The line before, with a hypothesis of infinite cost at either end.
    before = cost.new_full((*cost[:, 0].shape[:-1], cost.shape[-1] + 2), torch.inf)
    for place in range(1, cost.shape[1]):
        previous = total[:, place - 1]
        before[..., 1:-1] = previous
        lowest = previous.amin(-1, keepdim=True)
        best = torch.minimum(before[..., :-2], before[..., 2:]).add_(STEP_PENALTY)
        torch.minimum(best, previous, out=best)
        torch.minimum(best, lowest + jump[:, place, :, None], out=best)
        torch.add(best.sub_(lowest), cost[:, place], out=total[:, place])
    return total


def aggregate(cost: Float[Tensor, "D H W"], grey: Float[Tensor, "H W"]) -> Float[Tensor, "D H W"]:
    """The mean of the four directions' accumulated costs."""
    volume = cost.permute(1, 2, 0)  # H W D
    total = torch.zeros_like(volume)
    for dimension in (0, 1):
        lines = volume if dimension == 0 else volume.transpose(0, 1)
        image = grey if dimension == 0 else grey.T
        contrast = (image[1:] - image[:-1]).abs()
        jump = STEP_PENALTY + (JUMP_PENALTY - STEP_PENALTY) / (1 + contrast / JUMP_CONTRAST)
        none = jump[:1]
        both = _pass(
            torch.stack([lines, lines.flip(0)]),
            torch.stack([torch.cat([none, jump]), torch.cat([none, jump.flip(0)])]),
        )
        summed = both[0] + both[1].flip(0)
        total += summed if dimension == 0 else summed.transpose(0, 1)
    return total.permute(2, 0, 1) / 4
