"""Linear systems that are block-tridiagonal per person with one shared block: an arrow.

For every person p and frame t the unknown z[p, t] couples to its two neighbours in time and to
the shared unknown s:

    E[t-1]' z[t-1] + D[t] z[t] + E[t] z[t+1] + B[t] s = g[t],    sum B' z + C s = h.

Elimination along time for all people at once, then the Schur complement for s: frame by frame on
CPUs, where work and memory grow linearly with the number of frames, by cyclic reduction elsewhere.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Float

from stages.solving.cyclic_reduction import solve_by_cyclic_reduction

_SMALL_BLOCK = 10


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
    solve = frame_by_frame if jax.default_backend() == "cpu" else all_frames_at_once
    return solve(system, g, h)


def frame_by_frame(
    system: ArrowSystem, g: Float[Array, "P T n"], h: Float[Array, " s"]
) -> tuple[Float[Array, "P T n"], Float[Array, " s"]]:
    """As `solve_arrow`: block Cholesky, one frame after another."""
    upper = jnp.pad(system.upper, ((0, 0), (0, 1), (0, 0), (0, 0)))
    inverses, reduced = jax.vmap(_eliminate)(
        system.diagonal, upper, jnp.concatenate([g[..., None], system.border], axis=-1)
    )
    y, Y = reduced[..., 0], reduced[..., 1:]
    schur = system.corner - jnp.einsum("ptns,ptnr->sr", Y, Y)
    s = _solve_positive(schur, h - jnp.einsum("ptns,ptn->s", Y, y))
    z = jax.vmap(_substitute)(inverses, upper, y - Y @ s)
    return z, s


def all_frames_at_once(
    system: ArrowSystem, g: Float[Array, "P T n"], h: Float[Array, " s"]
) -> tuple[Float[Array, "P T n"], Float[Array, " s"]]:
    """As `solve_arrow`: cyclic reduction."""
    rhs = jnp.concatenate([g[..., None], system.border], axis=-1)
    found = solve_by_cyclic_reduction(system.diagonal, system.upper, rhs)
    z, Z = found[..., 0], found[..., 1:]
    schur = system.corner - jnp.einsum("ptns,ptnr->sr", system.border, Z)
    s = _solve_positive(schur, h - jnp.einsum("ptns,ptn->s", system.border, z))
    return z - Z @ s, s


def _eliminate(
    diagonal: Float[Array, "T n n"], upper: Float[Array, "T n n"], rhs: Float[Array, "T n k"]
) -> tuple[Float[Array, "T n n"], Float[Array, "T n k"]]:
    """Inverses of the diagonal blocks of the Cholesky factor, and the right sides divided by it."""

    def step(carry, blocks):
        link, y = carry
        D, E, b = blocks
        inverse = inverse_lower(lax.linalg.cholesky(D - link.T @ link, symmetrize_input=False))
        y = inverse @ (b - link.T @ y)
        return (inverse @ E, y), (inverse, y)

    start = (jnp.zeros_like(diagonal[0]), jnp.zeros_like(rhs[0]))
    return lax.scan(step, start, (diagonal, upper, rhs))[1]


def _substitute(
    inverses: Float[Array, "T n n"], upper: Float[Array, "T n n"], y: Float[Array, "T n"]
) -> Float[Array, "T n"]:
    def step(following, blocks):
        inverse, E, b = blocks
        z = (b - inverse @ (E @ following)) @ inverse
        return z, z

    return lax.scan(step, jnp.zeros_like(y[0]), (inverses, upper, y), reverse=True)[1]


def inverse_lower(L: Float[Array, "n n"]) -> Float[Array, "n n"]:
    """Inverse of a lower triangular matrix, made of small substitutions and matrix products.

    XLA has no fast triangular solve on CPUs: for 75 x 75 this is ten times as fast. Diagonal
    blocks of up to 10 are inverted by substitution, then joined pairwise:
    inv [[A, 0], [B, C]] = [[inv A, 0], [-inv C B inv A, inv C]].
    """
    n = L.shape[0]
    count = 1
    while n > _SMALL_BLOCK * count:
        count *= 2
    size = -(-n // count)
    padded = jnp.eye(count * size, dtype=L.dtype).at[:n, :n].set(L)
    inverse = _substituted(_diagonal_blocks(padded, count))
    while count > 1:
        A, C = inverse[0::2], inverse[1::2]
        count //= 2
        size = A.shape[-1]
        B = _diagonal_blocks(padded, count)[:, size:, :size]
        joined = -C @ (B @ A)
        inverse = jnp.concatenate(
            [
                jnp.concatenate([A, jnp.zeros_like(A)], axis=-1),
                jnp.concatenate([joined, C], axis=-1),
            ],
            axis=-2,
        )
    return inverse[0, :n, :n]


def _diagonal_blocks(matrix: Float[Array, "N N"], count: int) -> Float[Array, "c m m"]:
    size = matrix.shape[0] // count
    blocks = matrix.reshape(count, size, count, size)
    return blocks[jnp.arange(count), :, jnp.arange(count)]


def _substituted(L: Float[Array, "c m m"]) -> Float[Array, "c m m"]:
    eye = jnp.eye(L.shape[-1], dtype=L.dtype)

    def row(i, inverse):
        found = (eye[i] - jnp.einsum("cj,cjk->ck", L[:, i], inverse)) / L[:, i, i, None]
        return inverse.at[:, i].set(found)

    return lax.fori_loop(0, L.shape[-1], row, jnp.zeros_like(L))


def _solve_positive(A: Float[Array, "s s"], b: Float[Array, " s"]) -> Float[Array, " s"]:
    if b.shape[0] == 0:
        return b
    inverse = inverse_lower(lax.linalg.cholesky(A, symmetrize_input=False))
    return inverse.T @ (inverse @ b)
