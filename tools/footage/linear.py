"""Small matrices times many vectors."""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor


def apply(matrix: Float[Tensor, "*n r c"], vector: Float[Tensor, "*n c"]) -> Float[Tensor, "*n r"]:
    """matrix @ vector for every entry; many times faster than `@` for millions of 3x3 matrices."""
    return (matrix * vector[..., None, :]).sum(-1)
