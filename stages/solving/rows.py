"""Residual rows: from named residuals of one frame to weighted rows of all, with Jacobians."""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from stages.solving.problem import Data, Frame, Residuals, Robust

Costs = dict[str, Float[Array, "..."]]
# Frames that are linearised together on a CPU; paddings are multiples of it.
CHUNK = 100


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


class Totals(NamedTuple):
    """Cost of each term, and of each frame with half of its pairs' (the shared terms aside)."""

    terms: Costs
    frames: Float[Array, "P T"]


class Rows(NamedTuple):
    """Weighted rows with their Jacobian, and the cost of each term per frame or pair."""

    r: Float[Array, "*b m"]
    J: Float[Array, "*b m k"]
    costs: Costs


class Features(NamedTuple):
    """A frame's features for pairs in one vector, with their Jacobian; empty without any."""

    f: Float[Array, "*b F"]
    J: Float[Array, "*b F k"]


def flatten(residuals: Residuals) -> tuple[Float[Array, " m"], Float[Array, " m"], Costs]:
    """All rows in one vector, the weight of each (loss included), the cost of each term."""
    rows, weights, costs = [], [], {}
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
    empty = [] if rows else [jnp.zeros(0)]
    return jnp.concatenate(rows + empty), jnp.concatenate(weights + empty), costs


def weighted_rows(
    at: Callable[[Float[Array, " k"]], tuple[Residuals, Float[Array, " F"]]],
    zero: Float[Array, " k"],
) -> tuple[Rows, Features]:
    """Rows scaled by the square root of their weights, and features, differentiated at `zero`."""

    def flat(delta):
        residuals, features = at(delta)
        r, weight, costs = flatten(residuals)
        return (r, features), (r, features, weight, costs)

    (J, J_features), (r, features, weight, costs) = jax.jacfwd(flat, has_aux=True)(zero)
    root = jnp.sqrt(weight)
    return Rows(r * root, J * root[:, None], costs), Features(features, J_features)


def grams(rows: Rows) -> Float[Array, "*b k+1 k+1"]:
    """Products of all columns with one another, the residuals being the last: one product of
    matrices gives what the normal equations need."""
    wide = jnp.concatenate([rows.J, rows.r[..., None]], axis=-1)
    return jnp.einsum("...mi,...mj->...ij", wide, wide)


def over_frames(function: Callable[..., Any], moving: int, common: int = 1) -> Callable[..., Any]:
    """Map over people and frames. Of the arguments, `moving` come first and have a leading
    (P, T), `common` follow and are the same for all, the rest has a leading (P, T) again.
    """

    def mapped(*arguments):
        rest = len(arguments) - moving - common
        axes = (0,) * moving + (None,) * common + (0,) * rest
        P, T = jax.tree.leaves(arguments[0])[0].shape[:2]
        flat = (
            argument
            if axis is None
            else jax.tree.map(lambda a: a.reshape(P * T, *a.shape[2:]), argument)
            for argument, axis in zip(arguments, axes, strict=True)
        )
        found = jax.vmap(function, axes)(*flat)
        return jax.tree.map(lambda a: a.reshape(P, T, *a.shape[1:]), found)

    return mapped


def in_chunks(function: Callable[[Frame, Inputs], Any], x: Frame, inputs: Inputs) -> Any:
    """A function of all frames; CPUs call it with `CHUNK` of them at a time, so that the wide
    Jacobians of long trajectories stay in the cache.
    """
    P, T = inputs.frame_mask.shape
    if jax.default_backend() != "cpu" or T <= CHUNK or T % CHUNK:
        return function(x, inputs)

    def split(leaf: Array) -> Array:
        return jnp.moveaxis(leaf.reshape(P, T // CHUNK, CHUNK, *leaf.shape[2:]), 1, 0)

    def joined(leaf: Array) -> Array:
        return jnp.moveaxis(leaf, 0, 1).reshape(P, T, *leaf.shape[3:])

    def one(chunk):
        x, data, frame_mask = chunk
        return function(x, inputs._replace(data=data, frame_mask=frame_mask))

    chunks = jax.tree.map(split, (x, inputs.data, inputs.frame_mask))
    return jax.tree.map(joined, jax.lax.map(one, chunks))


def neighbours(tree: Any) -> tuple[Any, Any]:
    """Each frame but the last, and the frame after it."""
    return (
        jax.tree.map(lambda leaf: leaf[:, :-1], tree),
        jax.tree.map(lambda leaf: leaf[:, 1:], tree),
    )


def masked(rows: Rows, mask: Bool[Array, "P t"]) -> Rows:
    """Rows of masked frames exactly zero, whatever they were."""

    def clear(leaf: Array) -> Array:
        return jnp.where(mask.reshape(mask.shape + (1,) * (leaf.ndim - 2)), leaf, 0.0)

    return Rows(clear(rows.r), clear(rows.J), rows.costs)


def masked_sum(costs: Costs, mask: Bool[Array, "P t"]) -> Costs:
    """Costs of every frame summed over those that count."""
    return jax.tree.map(lambda c: jnp.sum(jnp.where(mask, c, 0.0)), costs)


def masked_totals(costs: Costs, mask: Bool[Array, "P t"]) -> Float[Array, "P t"]:
    """Cost of every frame or pair over all terms; zero where it does not count."""
    total = sum(costs.values(), jnp.zeros(mask.shape))
    return jnp.where(mask, total, 0.0)


def shared_out(
    per_frame: Float[Array, "P T"], per_pair: Float[Array, "P T-1"]
) -> Float[Array, "P T"]:
    """Each frame's own cost and half of that of its pairs."""
    return per_frame + 0.5 * (to_first(per_pair) + to_second(per_pair))


def to_first(blocks: Float[Array, "P t *b"]) -> Float[Array, "P T *b"]:
    """What pairs say of their first frame, as frames; the last frame gets zero."""
    return jnp.pad(blocks, ((0, 0), (0, 1)) + ((0, 0),) * (blocks.ndim - 2))


def to_second(blocks: Float[Array, "P t *b"]) -> Float[Array, "P T *b"]:
    """What pairs say of their second frame, as frames; the first frame gets zero."""
    return jnp.pad(blocks, ((0, 0), (1, 0)) + ((0, 0),) * (blocks.ndim - 2))


def dtype_of(tree: Any) -> Any:
    """The number type that a tree of variables is solved in."""
    return jax.tree.leaves(tree)[0].dtype
