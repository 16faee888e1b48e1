"""Small matrices times many vectors."""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor


def apply(matrix: Float[Tensor, "*n r c"], vector: Float[Tensor, "*n c"]) -> Float[Tensor, "*n r"]:
    """matrix @ vector for every entry; many times faster than `@` for millions of 3x3 matrices."""
    total = matrix[..., 0] * vector[..., 0:1]
    for column in range(1, vector.shape[-1]):
        total = total + matrix[..., column] * vector[..., column : column + 1]
    return total
