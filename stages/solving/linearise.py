"""From residual functions to normal equations: forward-mode Jacobians, frame by frame."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from stages.solving.arrow import ArrowSystem
from stages.solving.problem import Data, Frame, Problem, Residuals, Robust, Shared


class Inputs(NamedTuple):
    """What residuals read besides the variables. Leaves of `data` start with (P, T).

    Attributes:
        data: per person and frame.
        constants: one for all; passed whole to every residual.
        frame_mask: frames whose residuals count.
        pair_mask: neighbours (t, t + 1) whose residuals count.
    """

    data: Data
    constants: Data
    frame_mask: Bool[Array, "P T"]
    pair_mask: Bool[Array, "P T-1"]


class NormalEquations(NamedTuple):
    """Gauss-Newton system `matrix @ step = -gradient` at one point."""

    matrix: ArrowSystem
    gradient: Float[Array, "P T n"]
    shared_gradient: Float[Array, " s"]


def term_costs(
    problem: Problem, x: Frame, shared: Shared, inputs: Inputs
) -> dict[str, Float[Array, ""]]:
    """Cost of every term, summed over people and frames."""
    per_frame = _over_frames(
        lambda *a: _flatten(problem.frame_residuals(*a[:2], a[2], inputs.constants))[2], 1
    )(x, shared, inputs.data)
    per_pair = _over_frames(
        lambda *a: _flatten(problem.pair_residuals(*a, inputs.constants))[2], 2
    )(*_neighbours(x), shared, *_neighbours(inputs.data))
    costs = _masked_sum(per_frame, inputs.frame_mask) | _masked_sum(per_pair, inputs.pair_mask)
    return costs | _flatten(problem.shared_residuals(shared, inputs.constants))[2]


def normal_equations(problem: Problem, x: Frame, shared: Shared, inputs: Inputs) -> NormalEquations:
    """Gauss-Newton normal equations; rows of masked frames and pairs contribute exactly zero."""
    n, s = problem.frame_size, problem.shared_size
    r, J = _frame_rows(problem, x, shared, inputs)
    Jx, Js = J[..., :n], J[..., n:]
    diagonal = jnp.einsum("ptmi,ptmj->ptij", Jx, Jx)
    gradient = jnp.einsum("ptmi,ptm->pti", Jx, r)
    border = jnp.einsum("ptmi,ptmj->ptij", Jx, Js)
    corner = jnp.einsum("ptmi,ptmj->ij", Js, Js)
    shared_gradient = jnp.einsum("ptmi,ptm->i", Js, r)

    r, J = _pair_rows(problem, x, shared, inputs)
    Ja, Jb, Js = J[..., :n], J[..., n : 2 * n], J[..., 2 * n :]
    before, after = ((0, 0), (0, 1)), ((0, 0), (1, 0))
    diagonal += _pad(jnp.einsum("ptmi,ptmj->ptij", Ja, Ja), before)
    diagonal += _pad(jnp.einsum("ptmi,ptmj->ptij", Jb, Jb), after)
    gradient += _pad(jnp.einsum("ptmi,ptm->pti", Ja, r), before)
    gradient += _pad(jnp.einsum("ptmi,ptm->pti", Jb, r), after)
    upper = jnp.einsum("ptmi,ptmj->ptij", Ja, Jb)
    if s and problem.pairs_use_shared:
        border += _pad(jnp.einsum("ptmi,ptmj->ptij", Ja, Js), before)
        border += _pad(jnp.einsum("ptmi,ptmj->ptij", Jb, Js), after)
        corner += jnp.einsum("ptmi,ptmj->ij", Js, Js)
        shared_gradient += jnp.einsum("ptmi,ptm->i", Js, r)

    if s:
        r, J = _shared_rows(problem, shared, inputs)
        corner += J.T @ J
        shared_gradient += J.T @ r
    matrix = ArrowSystem(diagonal, upper, border, corner)
    return NormalEquations(matrix, gradient, shared_gradient)


def _frame_rows(problem: Problem, x: Frame, shared: Shared, inputs: Inputs):  # type: ignore[no-untyped-def]
    n, s = problem.frame_size, problem.shared_size

    def rows(x, shared, data):  # type: ignore[no-untyped-def]
        def at(delta):  # type: ignore[no-untyped-def]
            moved = problem.move_frame(x, delta[:n])
            moved_shared = problem.move_shared(shared, delta[n:])
            return problem.frame_residuals(moved, moved_shared, data, inputs.constants)

        return _weighted_rows(at, n + s, x)

    return _mask_rows(_over_frames(rows, 1)(x, shared, inputs.data), inputs.frame_mask)


def _pair_rows(problem: Problem, x: Frame, shared: Shared, inputs: Inputs):  # type: ignore[no-untyped-def]
    n = problem.frame_size
    s = problem.shared_size if problem.pairs_use_shared else 0

    def rows(x, x_next, shared, data, data_next):  # type: ignore[no-untyped-def]
        def at(delta):  # type: ignore[no-untyped-def]
            a = problem.move_frame(x, delta[:n])
            b = problem.move_frame(x_next, delta[n : 2 * n])
            moved_shared = problem.move_shared(shared, delta[2 * n :]) if s else shared
            return problem.pair_residuals(a, b, moved_shared, data, data_next, inputs.constants)

        return _weighted_rows(at, 2 * n + s, x)

    both = _over_frames(rows, 2)(*_neighbours(x), shared, *_neighbours(inputs.data))
    return _mask_rows(both, inputs.pair_mask)


def _shared_rows(problem: Problem, shared: Shared, inputs: Inputs):  # type: ignore[no-untyped-def]
    def at(delta):  # type: ignore[no-untyped-def]
        return problem.shared_residuals(problem.move_shared(shared, delta), inputs.constants)

    return _weighted_rows(at, problem.shared_size, shared)


def _weighted_rows(at, size, like):  # type: ignore[no-untyped-def]
    """Residual and Jacobian at delta = 0, rows scaled by the square root of their weights."""
    zero = jnp.zeros(size, jax.tree.leaves(like)[0].dtype)

    def flat(delta):  # type: ignore[no-untyped-def]
        r, weight, _ = _flatten(at(delta))
        return r, (r, weight)

    J, (r, weight) = jax.jacfwd(flat, has_aux=True)(zero)
    root = jnp.sqrt(weight)
    return r * root, J * root[:, None]


def _flatten(residuals: Residuals):  # type: ignore[no-untyped-def]
    """All rows in one vector, the weight of each (loss included), the cost of each term."""
    rows, weights, costs = [jnp.zeros(0)], [jnp.zeros(0)], {}
    for name, residual in residuals.items():
        if isinstance(residual, Robust):
            lengths = jnp.sum(residual.rows**2, axis=1)
            loss, slope = jax.jvp(residual.loss, (lengths,), (jnp.ones_like(lengths),))
            costs[name] = 0.5 * jnp.sum(residual.weight * loss)
            rows.append(residual.rows.ravel())
            weights.append(jnp.repeat(residual.weight * slope, residual.rows.shape[1]))
        else:
            costs[name] = 0.5 * jnp.sum(residual**2)
            rows.append(residual.ravel())
            weights.append(jnp.ones_like(rows[-1]))
    return jnp.concatenate(rows[1:] or rows), jnp.concatenate(weights[1:] or weights), costs


def _over_frames(function, moving):  # type: ignore[no-untyped-def]
    """Map over people and frames; of (x.., shared, data..) only `shared` is common to all."""
    axes = (0,) * moving + (None,) + (0,) * moving
    return jax.vmap(jax.vmap(function, axes), axes)


def _neighbours(tree):  # type: ignore[no-untyped-def]
    return (
        jax.tree.map(lambda leaf: leaf[:, :-1], tree),
        jax.tree.map(lambda leaf: leaf[:, 1:], tree),
    )


def _mask_rows(rows, mask):  # type: ignore[no-untyped-def]
    r, J = rows
    return jnp.where(mask[..., None], r, 0.0), jnp.where(mask[..., None, None], J, 0.0)


def _masked_sum(costs, mask):  # type: ignore[no-untyped-def]
    return jax.tree.map(lambda c: jnp.sum(jnp.where(mask, c, 0.0)), costs)


def _pad(blocks, time):  # type: ignore[no-untyped-def]
    return jnp.pad(blocks, time + ((0, 0),) * (blocks.ndim - 2))
