"""From residual functions to normal equations: forward-mode Jacobians, frame by frame."""

from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax.flatten_util import ravel_pytree
from jaxtyping import Array, Float

from stages.solving.arrow import ArrowSystem
from stages.solving.feature_rows import feature_rows
from stages.solving.joint_blocks import block_costs, block_sums
from stages.solving.problem import Data, Frame, Problem, Shared, View
from stages.solving.rows import (
    Costs,
    Features,
    Inputs,
    Rows,
    Totals,
    dtype_of,
    flatten,
    grams,
    in_chunks,
    masked,
    masked_sum,
    masked_totals,
    neighbours,
    over_frames,
    shared_out,
    to_first,
    to_second,
    weighted_rows,
)


class NormalEquations(NamedTuple):
    """Gauss-Newton system `matrix @ step = -gradient` at one point."""

    matrix: ArrowSystem
    gradient: Float[Array, "P T n"]
    shared_gradient: Float[Array, " s"]


def term_costs(problem: Problem, x: Frame, shared: Shared, inputs: Inputs) -> Totals:
    """Costs at a point."""

    def look(x, shared, data):
        return _views(problem, x, shared, data, inputs.constants)

    def frame(view, shared, data):
        return flatten(problem.frame_residuals(view, shared, data, inputs.constants))[2]

    def pair(a, b, shared, data, data_next):
        return flatten(problem.pair_residuals(a, b, shared, data, data_next, inputs.constants))[2]

    for_frame, for_pairs = over_frames(look, 1)(x, shared, inputs.data)
    per_frame = over_frames(frame, 1)(for_frame, shared, inputs.data)
    per_pair = over_frames(pair, 2)(*neighbours(for_pairs), shared, *neighbours(inputs.data))
    if problem.blocks:
        block_frame, block_pair = block_costs(problem.blocks, x, inputs)
        per_frame, per_pair = per_frame | block_frame, per_pair | block_pair
    shared_costs = flatten(problem.shared_residuals(shared, inputs.constants))[2]
    return _totals(per_frame, per_pair, shared_costs, inputs)


def _totals(per_frame: Costs, per_pair: Costs, shared_costs: Costs, inputs: Inputs) -> Totals:
    terms = masked_sum(per_frame, inputs.frame_mask) | masked_sum(per_pair, inputs.pair_mask)
    frames = shared_out(
        masked_totals(per_frame, inputs.frame_mask), masked_totals(per_pair, inputs.pair_mask)
    )
    return Totals(terms | shared_costs, frames)


def linearise(
    problem: Problem, x: Frame, shared: Shared, inputs: Inputs
) -> tuple[Totals, NormalEquations]:
    """Costs and Gauss-Newton normal equations at a point.

    Masked frames and pairs contribute exactly zero.
    """
    n, s = problem.frame_size, problem.shared_size
    gram, per_frame, features = in_chunks(partial(_frame_grams, problem, shared), x, inputs)
    diagonal, gradient = gram[..., :n, :n], gram[..., :n, -1]
    border = gram[..., :n, n:-1]
    corner, shared_gradient = gram[..., n:-1, n:-1].sum((0, 1)), gram[..., n:-1, -1].sum((0, 1))

    found = pair_rows(problem, x, shared, features, inputs)
    per_pair = found.costs
    J, J_next, J_shared = jnp.split(found.J, (n, 2 * n), axis=-1)
    diagonal += to_first(_products(J, J)) + to_second(_products(J_next, J_next))
    gradient += to_first(_slopes(J, found.r)) + to_second(_slopes(J_next, found.r))
    upper = _products(J, J_next)
    if problem.pairs_use_shared and s:
        border += to_first(_products(J, J_shared)) + to_second(_products(J_next, J_shared))
        corner += _products(J_shared, J_shared).sum((0, 1))
        shared_gradient += _slopes(J_shared, found.r).sum((0, 1))

    if problem.blocks:
        sums = block_sums(problem, problem.blocks, x, inputs)
        diagonal, upper, gradient = sums.added_to(diagonal, upper, gradient)
        per_frame, per_pair = per_frame | sums.frame_costs, per_pair | sums.pair_costs

    shared_costs: Costs = {}
    if s:
        r, J, shared_costs = _shared_rows(problem, shared, inputs)
        corner += J.T @ J
        shared_gradient += J.T @ r
    matrix = ArrowSystem(diagonal, upper, border, corner)
    totals = _totals(per_frame, per_pair, shared_costs, inputs)
    return totals, NormalEquations(matrix, gradient, shared_gradient)


def _frame_grams(
    problem: Problem, shared: Shared, x: Frame, inputs: Inputs
) -> tuple[Float[Array, "P t k+1 k+1"], Costs, Features]:
    found, features = frame_rows(problem, x, shared, inputs)
    return grams(found), found.costs, features


def frame_rows(problem: Problem, x: Frame, shared: Shared, inputs: Inputs) -> tuple[Rows, Features]:
    n, s = problem.frame_size, problem.shared_size
    if problem.point_features:
        found, features = feature_rows(problem, problem.point_features, x, shared, inputs)
        return masked(found, inputs.frame_mask), features

    def rows(x, shared, data):
        def at(delta):
            moved = problem.linear_retract(x, delta[:n])
            moved_shared = problem.retract_shared(shared, delta[n:])
            view, pair_view = _views(problem, moved, moved_shared, data, inputs.constants)
            residuals = problem.frame_residuals(view, moved_shared, data, inputs.constants)
            features = ravel_pytree(pair_view.features)[0] if problem.features else jnp.zeros(0)
            return residuals, features

        return weighted_rows(at, jnp.zeros(n + s, dtype_of(x)))

    found, features = over_frames(rows, 1)(x, shared, inputs.data)
    return masked(found, inputs.frame_mask), features


def pair_rows(
    problem: Problem, x: Frame, shared: Shared, features: Features, inputs: Inputs
) -> Rows:
    """Jacobian columns: this frame's tangent, the next one's, the shared tangent if used."""
    n, F = problem.frame_size, features.f.shape[-1]
    s = problem.shared_size if problem.pairs_use_shared else 0
    unravel = _unravel_features(problem, x, shared, inputs)
    cuts = (n, 2 * n, 2 * n + F, 2 * n + 2 * F)

    def rows(x, x_next, f, f_next, shared, data, data_next):
        def at(delta):
            da, db, dfa, dfb, ds = jnp.split(delta, cuts)
            a, b = problem.linear_retract(x, da), problem.linear_retract(x_next, db)
            if F:
                a, b = View(a, unravel(f + dfa)), View(b, unravel(f_next + dfb))
            moved = problem.retract_shared(shared, ds) if s else shared
            residuals = problem.pair_residuals(a, b, moved, data, data_next, inputs.constants)
            return residuals, jnp.zeros(0)

        return weighted_rows(at, jnp.zeros(cuts[-1] + s, dtype_of(x)))[0]

    found = over_frames(rows, 4)(
        *neighbours(x), *neighbours(features.f), shared, *neighbours(inputs.data)
    )
    Ja, Jb, Jfa, Jfb, Js = jnp.split(found.J, cuts, axis=-1)
    if F:
        before, after = neighbours(features.J)
        Ja, Jb = Ja + Jfa @ before[..., :n], Jb + Jfb @ after[..., :n]
        if s:
            Js = Js + Jfa @ before[..., n:] + Jfb @ after[..., n:]
    J = jnp.concatenate([Ja, Jb, Js], axis=-1)
    return masked(Rows(found.r, J, found.costs), inputs.pair_mask)


def _products(J: Float[Array, "P t m i"], K: Float[Array, "P t m j"]) -> Float[Array, "P t i j"]:
    return jnp.einsum("ptmi,ptmj->ptij", J, K)


def _slopes(J: Float[Array, "P t m i"], r: Float[Array, "P t m"]) -> Float[Array, "P t i"]:
    return jnp.einsum("ptmi,ptm->pti", J, r)


def _shared_rows(problem: Problem, shared: Shared, inputs: Inputs) -> Rows:
    def at(delta):
        moved = problem.retract_shared(shared, delta)
        return problem.shared_residuals(moved, inputs.constants), jnp.zeros(0)

    return weighted_rows(at, jnp.zeros(problem.shared_size, dtype_of(shared)))[0]


def _views(problem: Problem, x: Frame, shared: Shared, data: Data, constants: Data) -> Any:
    """What frame residuals and what pair residuals see of a frame."""
    if problem.features is None:
        return x, x
    for_frame, for_pairs = problem.features(x, shared, data, constants)
    return View(x, for_frame), View(x, for_pairs)


def _unravel_features(problem: Problem, x: Frame, shared: Shared, inputs: Inputs):
    if problem.features is None:
        return None
    one_x, one_data = jax.tree.map(lambda leaf: leaf[0, 0], (x, inputs.data))
    shapes = jax.eval_shape(problem.features, one_x, shared, one_data, inputs.constants)[1]
    return ravel_pytree(jax.tree.map(lambda leaf: jnp.zeros(leaf.shape, leaf.dtype), shapes))[1]
