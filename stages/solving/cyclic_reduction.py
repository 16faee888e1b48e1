"""Block-tridiagonal systems solved in parallel over time, for accelerators.

Elimination frame by frame leaves an accelerator idle: each step is a few tiny operations that wait
for the step before. Parallel cyclic reduction (Hockney and Jesshope, Parallel Computers, 1981)
eliminates both neighbours of every frame at once; each round doubles the distance between frames
that are still coupled, so that log2(T) rounds of large batches leave every frame by itself. It
costs log2(T) times the arithmetic.
"""

import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Float


def solve_by_cyclic_reduction(
    diagonal: Float[Array, "P T n n"],
    upper: Float[Array, "P T-1 n n"],
    rhs: Float[Array, "P T n k"],
) -> Float[Array, "P T n k"]:
    """Solve symmetric positive definite systems whose frame t couples to t + 1 through `upper`."""
    T, n = diagonal.shape[1:3]

    def halve(level, system):
        D, U, r = system
        apart = jnp.left_shift(1, level)
        C = lax.linalg.cholesky(D, symmetrize_input=False)
        lower = _shifted(jnp.swapaxes(U, -1, -2), apart)
        wide = jnp.concatenate([U, lower, r], axis=-1)
        W = lax.linalg.triangular_solve(C, wide, left_side=True, lower=True)
        gram = jnp.einsum("ptmi,ptmj->ptij", W[..., : 2 * n], W)
        before, after = _shifted(gram[..., :n, :], apart), _shifted(gram[..., n:, :], -apart)
        return (
            D - before[..., :n] - after[..., n : 2 * n],
            -after[..., :n],
            r - before[..., 2 * n :] - after[..., 2 * n :],
        )

    last = jnp.zeros_like(diagonal[:, :1])
    start = (diagonal, jnp.concatenate([upper, last], axis=1), rhs)
    D, _, r = lax.fori_loop(0, (T - 1).bit_length(), halve, start)
    C = lax.linalg.cholesky(D, symmetrize_input=False)
    y = lax.linalg.triangular_solve(C, r, left_side=True, lower=True)
    return lax.linalg.triangular_solve(C, y, left_side=True, lower=True, transpose_a=True)


def _shifted(blocks: Float[Array, "P T *b"], by: Array) -> Float[Array, "P T *b"]:
    """Every frame's block of `by` frames earlier; zero where there is none."""
    index = jnp.arange(blocks.shape[1]) - by
    there = (index >= 0) & (index < blocks.shape[1])
    rolled = jnp.roll(blocks, by, axis=1)
    return jnp.where(there.reshape(1, -1, *(1,) * (blocks.ndim - 2)), rolled, 0.0)
