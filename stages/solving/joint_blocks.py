"""Normal equations of residuals that concern one small block of a frame's tangent each."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from stages.solving.problem import Blocks, Data, Frame, Problem
from stages.solving.rows import (
    Costs,
    Inputs,
    Rows,
    dtype_of,
    flatten,
    masked,
    neighbours,
    over_frames,
    to_first,
    to_second,
)


class BlockSums(NamedTuple):
    """What the blocks add to the frames' normal equations, and their costs."""

    blocks: Blocks
    diagonal: Float[Array, "P T k b b"]
    upper: Float[Array, "P T-1 k b b"]
    gradient: Float[Array, "P T k b"]
    frame_costs: Costs
    pair_costs: Costs

    def added_to(
        self,
        diagonal: Float[Array, "P T n n"],
        upper: Float[Array, "P T-1 n n"],
        gradient: Float[Array, "P T n"],
    ) -> tuple[Float[Array, "P T n n"], Float[Array, "P T-1 n n"], Float[Array, "P T n"]]:
        """Each block in its place."""
        start, size, count = self.blocks.start, self.blocks.size, self.blocks.count
        here = start + np.arange(count * size).reshape(count, size)
        square = (slice(None), slice(None), here[:, :, None], here[:, None, :])
        return (
            diagonal.at[square].add(self.diagonal),
            upper.at[square].add(self.upper),
            gradient.at[:, :, here].add(self.gradient),
        )


def block_costs(blocks: Blocks, x: Frame, inputs: Inputs) -> tuple[Costs, Costs]:
    """Cost of every term of the blocks, per frame and per pair."""

    def frame(x, data):
        return flatten(_of_frame(blocks, x, data, inputs.constants))[2]

    def pair(a, b, data, data_next):
        return flatten(_of_pair(blocks, a, b, data, data_next, inputs.constants))[2]

    per_frame = over_frames(frame, 2, 0)(x, inputs.data)
    per_pair = over_frames(pair, 4, 0)(*neighbours(x), *neighbours(inputs.data))
    return per_frame, per_pair


def block_sums(problem: Problem, blocks: Blocks, x: Frame, inputs: Inputs) -> BlockSums:
    """One seed for each entry of a block differentiates all blocks at once."""
    b = blocks.size
    one, two = jnp.zeros(b, dtype_of(x)), jnp.zeros(2 * b, dtype_of(x))

    def retract(x, small):
        rest = problem.frame_size - blocks.start - blocks.count * b
        everywhere = jnp.pad(jnp.tile(small, blocks.count), (blocks.start, rest))
        return problem.linear_retract(x, everywhere)

    def frame(x, data):
        def at(small):
            return _of_frame(blocks, retract(x, small), data, inputs.constants)

        return _rows(at, one, blocks)

    def pair(x, x_next, data, data_next):
        def at(small):
            both = retract(x, small[:b]), retract(x_next, small[b:])
            return _of_pair(blocks, *both, data, data_next, inputs.constants)

        return _rows(at, two, blocks)

    r, J, costs = masked(over_frames(frame, 2, 0)(x, inputs.data), inputs.frame_mask)
    diagonal, gradient = _squares(J), jnp.einsum("ptkri,ptkr->ptki", J, r)
    found = over_frames(pair, 4, 0)(*neighbours(x), *neighbours(inputs.data))
    r, J, pair_costs = masked(found, inputs.pair_mask)
    square, slope = _squares(J), jnp.einsum("ptkri,ptkr->ptki", J, r)
    diagonal += to_first(square[..., :b, :b]) + to_second(square[..., b:, b:])
    gradient += to_first(slope[..., :b]) + to_second(slope[..., b:])
    return BlockSums(blocks, diagonal, square[..., :b, b:], gradient, costs, pair_costs)


def _squares(J: Float[Array, "P t k r b"]) -> Float[Array, "P t k b b"]:
    """J' J of every block, row by row: CPUs take longer to call many tiny products."""
    rows = (J[..., r, :] for r in range(J.shape[-2]))
    return sum((row[..., :, None] * row[..., None, :] for row in rows), jnp.zeros((), J.dtype))


def _rows(at, zero, blocks: Blocks) -> Rows:
    def joined(small):
        residuals = at(small)
        rows = jnp.concatenate([jnp.zeros((blocks.count, 0)), *residuals.values()], axis=1)
        return rows, (rows, flatten(residuals)[2])

    J, (r, costs) = jax.jacfwd(joined, has_aux=True)(zero)
    return Rows(r, J, costs)


def _of_frame(blocks: Blocks, x: Frame, data: Data, constants: Data) -> dict[str, Array]:
    return blocks.frame_residuals(x, data, constants) if blocks.frame_residuals else {}


def _of_pair(
    blocks: Blocks, x: Frame, x_next: Frame, data: Data, data_next: Data, constants: Data
) -> dict[str, Array]:
    if blocks.pair_residuals is None:
        return {}
    return blocks.pair_residuals(x, x_next, data, data_next, constants)
