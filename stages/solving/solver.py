"""Levenberg-Marquardt on trajectories, whole in one compiled loop.

Damping follows Nielsen (1999), "Damping parameter in Marquardt's method": the factor scales the
diagonal of the normal equations, falls with the gain ratio of an accepted step and grows ever
faster with rejected ones.
"""

from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int

from stages.solving.arrow import ArrowSystem, solve_arrow
from stages.solving.linearise import NormalEquations, linearise, term_costs
from stages.solving.problem import Data, Frame, Limits, Problem, Shared, Solution
from stages.solving.rows import Costs, Inputs, dtype_of

_LARGEST_DAMPING = 1e8
_SMALLEST_DAMPING = 1e-7


@partial(jax.jit, static_argnames="problem")
def solve(
    problem: Problem,
    frames: Frame,
    shared: Shared,
    data: Data,
    constants: Data,
    frame_mask: Bool[Array, "P T"],
    pair_mask: Bool[Array, "P T-1"] | None = None,
    limits: Limits = Limits(),
) -> Solution:
    """Minimise the problem's cost from a start.

    Args:
        problem: what is solved; compiled once for each problem and set of shapes.
        frames: start, leaves (P, T, ...): people (or any parallel chains), frames.
        shared: start of the shared numbers, one set for all people; None if there are none.
        data: what residuals read per frame, leaves (P, T, ...).
        constants: what residuals read whole.
        frame_mask: False for padding and for frames without anything to fit; their variables
            come back unchanged unless a pair term moves them.
        pair_mask: neighbours that a pair term ties; both frames valid if None.
        limits: when to stop.
    """
    if pair_mask is None:
        pair_mask = frame_mask[:, :-1] & frame_mask[:, 1:]
    inputs = Inputs(data, constants, frame_mask, pair_mask)
    start = _start(problem, frames, shared, inputs, limits)
    end = jax.lax.while_loop(
        lambda state: ~state.done & (state.iterations < limits.max_iterations),
        lambda state: _iterate(problem, inputs, limits, state),
        start,
    )
    return Solution(
        frames=end.frames,
        shared=end.shared,
        term_costs=end.costs,
        cost=_total(end.costs),
        initial_cost=end.initial_cost,
        iterations=end.iterations,
        converged=end.done,
    )


class _State(NamedTuple):
    frames: Any
    shared: Any
    costs: Costs
    initial_cost: Float[Array, ""]
    equations: NormalEquations
    stale: Bool[Array, ""]  # the equations belong to an earlier point
    damping: Float[Array, ""]
    growth: Float[Array, ""]
    iterations: Int[Array, ""]
    done: Bool[Array, ""]


def _start(
    problem: Problem, frames: Frame, shared: Shared, inputs: Inputs, limits: Limits
) -> _State:
    """The first iteration fills in costs and equations: their code is compiled once."""
    dtype = dtype_of(frames)
    shapes = jax.eval_shape(lambda: linearise(problem, frames, shared, inputs))
    costs, equations = jax.tree.map(lambda leaf: jnp.zeros(leaf.shape, leaf.dtype), shapes)
    return _State(
        frames=frames,
        shared=shared,
        costs=costs,
        initial_cost=jnp.zeros((), dtype),
        equations=equations,
        stale=jnp.array(True),
        damping=jnp.asarray(limits.initial_damping, dtype),
        growth=jnp.asarray(2.0, dtype),
        iterations=jnp.array(0),
        done=jnp.array(False),
    )


def _iterate(problem: Problem, inputs: Inputs, limits: Limits, state: _State) -> _State:
    old_costs, equations = jax.lax.cond(
        state.stale,
        lambda: linearise(problem, state.frames, state.shared, inputs),
        lambda: (state.costs, state.equations),
    )
    step, shared_step, predicted = _damped_step(equations, state.damping)
    frames = jax.vmap(jax.vmap(problem.move_frame))(state.frames, step)
    shared = problem.move_shared(state.shared, shared_step)
    costs = term_costs(problem, frames, shared, inputs)

    cost, new_cost = _total(old_costs), _total(costs)
    gain = (cost - new_cost) / predicted
    accepted = (new_cost < cost) & (predicted > 0)
    small = jnp.max(jnp.abs(step)) < limits.step_tolerance
    settled = (accepted & (cost - new_cost < limits.cost_tolerance * cost)) | (
        (predicted < limits.cost_tolerance * cost) | small
    )
    damping = jnp.where(
        accepted,
        state.damping * jnp.clip(1.0 - (2.0 * gain - 1.0) ** 3, 0.1, 2.0),
        state.damping * state.growth,
    )
    return _State(
        frames=_choose(accepted, frames, state.frames),
        shared=_choose(accepted, shared, state.shared),
        costs=_choose(accepted, costs, old_costs),
        initial_cost=jnp.where(state.iterations == 0, cost, state.initial_cost),
        equations=equations,
        stale=accepted,
        damping=jnp.maximum(damping, _SMALLEST_DAMPING),
        growth=jnp.where(accepted, 2.0, 2.0 * state.growth),
        iterations=state.iterations + 1,
        done=settled | (damping > _LARGEST_DAMPING),
    )


def _damped_step(
    equations: NormalEquations, damping: Float[Array, ""]
) -> tuple[Float[Array, "P T n"], Float[Array, " s"], Float[Array, ""]]:
    """Step of the frames and of the shared numbers, and how far the cost should fall."""
    matrix = equations.matrix
    diagonal = jnp.diagonal(matrix.diagonal, axis1=-2, axis2=-1)
    corner = jnp.diagonal(matrix.corner)
    # Directions without information are held in place by a share of the largest entry; frames
    # without any information become an identity block.
    floor = 1e-6 * jnp.maximum(jnp.max(diagonal), 1e-12)
    scale, shared_scale = jnp.maximum(diagonal, floor), jnp.maximum(corner, floor)
    blank = jnp.all(diagonal == 0, axis=-1, keepdims=True)
    added = jnp.where(blank, 1.0, damping * scale)
    shared_added = damping * shared_scale
    n, s = diagonal.shape[-1], corner.shape[0]
    damped = ArrowSystem(
        matrix.diagonal + added[..., None] * jnp.eye(n, dtype=diagonal.dtype),
        matrix.upper,
        matrix.border,
        matrix.corner + shared_added * jnp.eye(s, dtype=diagonal.dtype),
    )
    step, shared_step = solve_arrow(damped, -equations.gradient, -equations.shared_gradient)
    predicted = 0.5 * (
        jnp.sum(step * (added * step - equations.gradient))
        + jnp.sum(shared_step * (shared_added * shared_step - equations.shared_gradient))
    )
    return step, shared_step, predicted


def _total(costs: Costs) -> Float[Array, ""]:
    return jnp.sum(jnp.stack(list(costs.values())))


def _choose(condition, new, old):  # type: ignore[no-untyped-def]
    return jax.tree.map(lambda a, b: jnp.where(condition, a, b), new, old)
