"""From residual functions to normal equations: forward-mode Jacobians, frame by frame."""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax.flatten_util import ravel_pytree
from jaxtyping import Array, Bool, Float

from stages.solving.arrow import ArrowSystem
from stages.solving.problem import Data, Frame, Problem, Residuals, Robust, Shared, View


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


class _Rows(NamedTuple):
    """Weighted residual rows of a frame or pair with their Jacobian."""

    r: Float[Array, "*b m"]
    J: Float[Array, "*b m k"]


class _Features(NamedTuple):
    """A frame's features for pairs in one vector, with their Jacobian; empty without any."""

    f: Float[Array, "P T F"]
    J: Float[Array, "P T F n+s"]


def term_costs(
    problem: Problem, x: Frame, shared: Shared, inputs: Inputs
) -> dict[str, Float[Array, ""]]:
    """Cost of every term, summed over people and frames."""

    def look(x, shared, data):  # type: ignore[no-untyped-def]
        return _views(problem, x, shared, data, inputs.constants)

    def frame(view, shared, data):  # type: ignore[no-untyped-def]
        return _flatten(problem.frame_residuals(view, shared, data, inputs.constants))[2]

    def pair(a, b, shared, data, data_next):  # type: ignore[no-untyped-def]
        return _flatten(problem.pair_residuals(a, b, shared, data, data_next, inputs.constants))[2]

    for_frame, for_pairs = _over_frames(look, 1)(x, shared, inputs.data)
    per_frame = _over_frames(frame, 1)(for_frame, shared, inputs.data)
    both = _neighbours(for_pairs)
    per_pair = _over_frames(pair, 2)(*both, shared, *_neighbours(inputs.data))
    costs = _masked_sum(per_frame, inputs.frame_mask) | _masked_sum(per_pair, inputs.pair_mask)
    return costs | _flatten(problem.shared_residuals(shared, inputs.constants))[2]


def normal_equations(problem: Problem, x: Frame, shared: Shared, inputs: Inputs) -> NormalEquations:
    """Gauss-Newton normal equations; rows of masked frames and pairs contribute exactly zero."""
    n, s = problem.frame_size, problem.shared_size
    (r, J), features = _frame_rows(problem, x, shared, inputs)
    Jx, Js = J[..., :n], J[..., n:]
    diagonal = jnp.einsum("ptmi,ptmj->ptij", Jx, Jx)
    gradient = jnp.einsum("ptmi,ptm->pti", Jx, r)
    border = jnp.einsum("ptmi,ptmj->ptij", Jx, Js)
    corner = jnp.einsum("ptmi,ptmj->ij", Js, Js)
    shared_gradient = jnp.einsum("ptmi,ptm->i", Js, r)

    r, J = _pair_rows(problem, x, shared, features, inputs)
    Ja, Jb, Js = J[..., :n], J[..., n : 2 * n], J[..., 2 * n :]
    before, after = ((0, 0), (0, 1)), ((0, 0), (1, 0))
    diagonal += _pad(jnp.einsum("ptmi,ptmj->ptij", Ja, Ja), before)
    diagonal += _pad(jnp.einsum("ptmi,ptmj->ptij", Jb, Jb), after)
    gradient += _pad(jnp.einsum("ptmi,ptm->pti", Ja, r), before)
    gradient += _pad(jnp.einsum("ptmi,ptm->pti", Jb, r), after)
    upper = jnp.einsum("ptmi,ptmj->ptij", Ja, Jb)
    if Js.shape[-1]:
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


def _frame_rows(
    problem: Problem, x: Frame, shared: Shared, inputs: Inputs
) -> tuple[_Rows, _Features]:
    n, s = problem.frame_size, problem.shared_size

    def rows(x, shared, data):  # type: ignore[no-untyped-def]
        def at(delta):  # type: ignore[no-untyped-def]
            moved = problem.move_frame(x, delta[:n])
            moved_shared = problem.move_shared(shared, delta[n:])
            view, pair_view = _views(problem, moved, moved_shared, data, inputs.constants)
            residuals = problem.frame_residuals(view, moved_shared, data, inputs.constants)
            features = ravel_pytree(pair_view.features)[0] if problem.features else jnp.zeros(0)
            return residuals, features

        return _weighted_rows(at, jnp.zeros(n + s, _dtype(x)))

    found, features = _over_frames(rows, 1)(x, shared, inputs.data)
    return _mask_rows(found, inputs.frame_mask), features


def _pair_rows(
    problem: Problem, x: Frame, shared: Shared, features: _Features, inputs: Inputs
) -> _Rows:
    """Jacobian columns: this frame's tangent, the next one's, the shared tangent if used."""
    n, F = problem.frame_size, features.f.shape[-1]
    s = problem.shared_size if problem.pairs_use_shared else 0
    unravel = _unravel_features(problem, x, shared, inputs)
    cuts = (n, 2 * n, 2 * n + F, 2 * n + 2 * F)

    def rows(x, x_next, f, f_next, shared, data, data_next):  # type: ignore[no-untyped-def]
        def at(delta):  # type: ignore[no-untyped-def]
            da, db, dfa, dfb, ds = jnp.split(delta, cuts)
            a, b = problem.move_frame(x, da), problem.move_frame(x_next, db)
            if F:
                a, b = View(a, unravel(f + dfa)), View(b, unravel(f_next + dfb))
            moved = problem.move_shared(shared, ds) if s else shared
            residuals = problem.pair_residuals(a, b, moved, data, data_next, inputs.constants)
            return residuals, jnp.zeros(0)

        return _weighted_rows(at, jnp.zeros(cuts[-1] + s, _dtype(x)))[0]

    axes = (0, 0, 0, 0, None, 0, 0)
    found = jax.vmap(jax.vmap(rows, axes), axes)(
        *_neighbours(x), *_neighbours(features.f), shared, *_neighbours(inputs.data)
    )
    Ja, Jb, Jfa, Jfb, Js = jnp.split(found.J, cuts, axis=-1)
    if F:
        before, after = _neighbours(features.J)
        Ja, Jb = Ja + Jfa @ before[..., :n], Jb + Jfb @ after[..., :n]
        if s:
            Js = Js + Jfa @ before[..., n:] + Jfb @ after[..., n:]
    J = jnp.concatenate([Ja, Jb, Js], axis=-1)
    return _mask_rows(_Rows(found.r, J), inputs.pair_mask)


def _shared_rows(problem: Problem, shared: Shared, inputs: Inputs) -> _Rows:
    def at(delta):  # type: ignore[no-untyped-def]
        moved = problem.move_shared(shared, delta)
        return problem.shared_residuals(moved, inputs.constants), jnp.zeros(0)

    return _weighted_rows(at, jnp.zeros(problem.shared_size, _dtype(shared)))[0]


def _views(problem: Problem, x: Frame, shared: Shared, data: Data, constants: Data) -> Any:
    """What frame residuals and what pair residuals see of a frame."""
    if problem.features is None:
        return x, x
    for_frame, for_pairs = problem.features(x, shared, data, constants)
    return View(x, for_frame), View(x, for_pairs)


def _unravel_features(problem: Problem, x: Frame, shared: Shared, inputs: Inputs):  # type: ignore[no-untyped-def]
    if problem.features is None:
        return None
    one_x, one_data = jax.tree.map(lambda leaf: leaf[0, 0], (x, inputs.data))
    shapes = jax.eval_shape(problem.features, one_x, shared, one_data, inputs.constants)[1]
    return ravel_pytree(jax.tree.map(lambda leaf: jnp.zeros(leaf.shape, leaf.dtype), shapes))[1]


def _weighted_rows(at, zero):  # type: ignore[no-untyped-def]
    """Rows scaled by the square root of their weights, and features; Jacobians at delta = 0."""

    def flat(delta):  # type: ignore[no-untyped-def]
        residuals, features = at(delta)
        r, weight, _ = _flatten(residuals)
        return (r, features), (r, features, weight)

    (J, J_features), (r, features, weight) = jax.jacfwd(flat, has_aux=True)(zero)
    root = jnp.sqrt(weight)
    return _Rows(r * root, J * root[:, None]), _Features(features, J_features)


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


def _mask_rows(rows: _Rows, mask: Bool[Array, "P t"]) -> _Rows:
    r, J = rows
    return _Rows(jnp.where(mask[..., None], r, 0.0), jnp.where(mask[..., None, None], J, 0.0))


def _masked_sum(costs, mask):  # type: ignore[no-untyped-def]
    return jax.tree.map(lambda c: jnp.sum(jnp.where(mask, c, 0.0)), costs)


def _pad(blocks, time):  # type: ignore[no-untyped-def]
    return jnp.pad(blocks, time + ((0, 0),) * (blocks.ndim - 2))


def _dtype(tree: Any) -> Any:
    return jax.tree.leaves(tree)[0].dtype
