"""Linear systems that are block-tridiagonal per person with one shared block: an arrow.

For every person p and frame t the unknown z[p, t] couples to its two neighbours in time and to
the shared unknown s:

    E[t-1]' z[t-1] + D[t] z[t] + E[t] z[t+1] + B[t] s = g[t],    sum B' z + C s = h.

Block Cholesky along time for all people at once, then the Schur complement for s. Work and
memory grow linearly with the number of frames.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax.scipy.linalg import solve_triangular
from jaxtyping import Array, Float


class ArrowSystem(NamedTuple):
    """Symmetric matrix of the normal equations; see the module's docstring."""

    diagonal: Float[Array, "P T n n"]
    upper: Float[Array, "P T-1 n n"]  # couples frame t (rows) to frame t + 1 (columns)
    border: Float[Array, "P T n s"]
    corner: Float[Array, "s s"]


def solve_arrow(
    system: ArrowSystem, g: Float[Array, "P T n"], h: Float[Array, " s"]
) -> tuple[Float[Array, "P T n"], Float[Array, " s"]]:
    """Solve `system @ (z, s) = (g, h)`; not-a-number where the matrix is not positive definite."""
    factors, reduced = jax.vmap(_eliminate)(
        system.diagonal, system.upper, jnp.concatenate([g[..., None], system.border], axis=-1)
    )
    y, Y = reduced[..., 0], reduced[..., 1:]
    schur = system.corner - jnp.einsum("ptns,ptnr->sr", Y, Y)
    s = _solve_positive(schur, h - jnp.einsum("ptns,ptn->s", Y, y))
    z = jax.vmap(_substitute)(factors, y - Y @ s)
    return z, s


class _Factors(NamedTuple):
    lower: Float[Array, "T n n"]  # Cholesky factors of the diagonal blocks
    link: Float[Array, "T n n"]  # L[t-1]^-1 E[t-1]; zero for t = 0


def _eliminate(
    diagonal: Float[Array, "T n n"], upper: Float[Array, "T-1 n n"], rhs: Float[Array, "T n k"]
) -> tuple[_Factors, Float[Array, "T n k"]]:
    n = diagonal.shape[-1]

    def step(carry, blocks):  # type: ignore[no-untyped-def]
        link, y = carry
        D, E, b = blocks
        L = jnp.linalg.cholesky(D - link.T @ link, symmetrize_input=False)
        solved = solve_triangular(L, jnp.concatenate([E, b - link.T @ y], axis=1), lower=True)
        return (solved[:, :n], solved[:, n:]), (L, link, solved[:, n:])

    padded = jnp.concatenate([upper, jnp.zeros_like(diagonal[:1])])
    start = (jnp.zeros_like(diagonal[0]), jnp.zeros_like(rhs[0]))
    _, (lower, links, reduced) = jax.lax.scan(step, start, (diagonal, padded, rhs))
    return _Factors(lower, links), reduced


def _substitute(factors: _Factors, y: Float[Array, "T n"]) -> Float[Array, "T n"]:
    def step(carry, blocks):  # type: ignore[no-untyped-def]
        L, link, b = blocks
        z = solve_triangular(L, b - carry, lower=True, trans=1)
        return link @ z, z

    # `link` of frame t maps z[t] into the equation of frame t - 1.
    _, z = jax.lax.scan(step, jnp.zeros_like(y[0]), (*factors, y), reverse=True)
    return z


def _solve_positive(A: Float[Array, "s s"], b: Float[Array, " s"]) -> Float[Array, " s"]:
    if b.shape[0] == 0:
        return b
    return jax.scipy.linalg.cho_solve(jax.scipy.linalg.cho_factor(A, lower=True), b)
