"""The middle of values that count differently."""

from jaxtyping import Float
from torch import Tensor


def weighted_median(values: Float[Tensor, "*B k"], weight: Float[Tensor, "*B k"]) -> Tensor:
    """The value up to which half of the weight lies, along the last axis."""
    ordered, order = values.sort(dim=-1)
    weight = weight.expand_as(values).gather(-1, order).double()
    below = weight.cumsum(dim=-1) < weight.sum(dim=-1, keepdim=True) / 2
    return ordered.gather(-1, below.sum(dim=-1, keepdim=True))[..., 0]
