"""Levenberg-Marquardt on trajectories, whole in one compiled loop.

Damping follows Nielsen (1999), "Damping parameter in Marquardt's method": the factor scales the
diagonal of the normal equations, falls with the gain ratio of an accepted step and grows ever
faster with rejected ones. It is one for all frames: where one were damped more than the others,
whatever they all should do together (turn a little, move a little) would wait for that one. Frames
that do not follow their linearisation take a share of their step instead.
"""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int

from stages.solving.arrow import ArrowSystem, solve_arrow
from stages.solving.linearise import NormalEquations, linearise, term_costs
from stages.solving.problem import Data, Frame, Limits, Problem, Shared, Solution
from stages.solving.programs import cached_program
from stages.solving.rows import Costs, Inputs, Totals, dtype_of

DEFAULT_LIMITS = Limits()
_LARGEST_DAMPING = 1e4
_SMALLEST_DAMPING = 1e-7
# Steps are cut to this share where they make things worst, so often at most: at frames whose cost
# rises by more than this share of the largest rise. Cutting all that rise would cut nearly all.
_CUT_TO = 0.25
_MOST_CUTS = 4
_NOTABLE = 0.1
# A step damped by no more than this is about the whole Gauss-Newton step. Where steps are held
# back, so many in a row must gain little before that is the end.
_FREE = 0.01
_PATIENCE = 4


def solve(
    problem: Problem,
    frames: Frame,
    shared: Shared,
    data: Data,
    constants: Data,
    frame_mask: Bool[Any, "P T"],
    pair_mask: Bool[Any, "P T-1"] | None = None,
    limits: Limits = DEFAULT_LIMITS,
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
    arguments = (frames, shared, data, constants, frame_mask, pair_mask, limits)
    arguments = jax.tree.map(
        lambda leaf: leaf if isinstance(leaf, jax.Array) else np.asarray(leaf), arguments
    )
    return cached_program(minimise, _compiler_options(), problem, arguments)(*arguments)


def _compiler_options() -> dict[str, Any] | None:
    # XLA's newer way to make code for fusions on CPUs takes longer and the code runs no faster; on
    # GPUs trying out ways to multiply these small matrices is half of the time to compile.
    device = jax.default_backend()
    options: dict[str, dict[str, Any]] = {
        "cpu": {"xla_cpu_use_fusion_emitters": False},
        "gpu": {"xla_gpu_autotune_level": 0},
    }
    return options.get(device)


def minimise(
    problem: Problem,
    frames: Frame,
    shared: Shared,
    data: Data,
    constants: Data,
    frame_mask: Bool[Array, "P T"],
    pair_mask: Bool[Array, "P T-1"] | None,
    limits: Limits,
) -> Solution:
    """`solve` as a function to be traced."""
    if pair_mask is None:
        pair_mask = frame_mask[:, :-1] & frame_mask[:, 1:]
    inputs = Inputs(data, constants, frame_mask, pair_mask)
    # Accelerators would otherwise multiply matrices with ten bits, and steps would be as exact.
    with jax.default_matmul_precision("highest"):
        start = _start(problem, frames, shared, inputs, limits)
        end = jax.lax.while_loop(
            lambda state: ~state.done & (state.iterations < limits.max_iterations),
            lambda state: _iterate(problem, inputs, limits, state),
            start,
        )
    return Solution(
        frames=end.frames,
        shared=end.shared,
        term_costs=end.totals.terms,
        cost=_total(end.totals.terms),
        initial_cost=end.initial_cost,
        iterations=end.iterations,
        converged=end.done,
    )


class _Damping(NamedTuple):
    """Levenberg-Marquardt factor relative to the diagonal, and how fast it grows when refused."""

    factor: Float[Array, ""]
    growth: Float[Array, ""]


class _State(NamedTuple):
    frames: Any
    shared: Any
    totals: Totals
    initial_cost: Float[Array, ""]
    damping: _Damping
    iterations: Int[Array, ""]
    quiet: Int[Array, ""]  # accepted steps in a row that gained little
    done: Bool[Array, ""]


class _Step(NamedTuple):
    """Tangents, and how far they should lower the cost: at each frame, and by the shared ones."""

    frames: Float[Array, "P T n"]
    shared: Float[Array, " s"]
    predicted_frames: Float[Array, "P T"]
    predicted_shared: Float[Array, ""]

    def predicted(self, share: Float[Array, "P T"]) -> Float[Array, ""]:
        """Gain if frames take these shares of their step."""
        return jnp.sum(self.predicted_frames * share) + self.predicted_shared


class _Trial(NamedTuple):
    """A step tried: where it leads, what it costs, and the share of it that frames took."""

    frames: Any
    shared: Any
    totals: Totals
    share: Float[Array, "P T"]
    tries: Int[Array, ""]


def _start(
    problem: Problem, frames: Frame, shared: Shared, inputs: Inputs, limits: Limits
) -> _State:
    """The first iteration fills in costs: their code is compiled once."""
    dtype = dtype_of(frames)
    shapes = jax.eval_shape(lambda: term_costs(problem, frames, shared, inputs))
    first, two = jnp.asarray(limits.initial_damping, dtype), jnp.asarray(2.0, dtype)
    return _State(
        frames=frames,
        shared=shared,
        totals=jax.tree.map(lambda leaf: jnp.zeros(leaf.shape, leaf.dtype), shapes),
        initial_cost=jnp.zeros((), dtype),
        damping=_Damping(first, two),
        iterations=jnp.array(0),
        quiet=jnp.array(0),
        done=jnp.array(False),
    )


def _iterate(problem: Problem, inputs: Inputs, limits: Limits, state: _State) -> _State:
    # After a refused step these are the equations of before; keeping them would cost every other
    # iteration a copy, and refused steps are few.
    old, equations = linearise(problem, state.frames, state.shared, inputs)
    step = _damped_step(equations, state.damping)
    trial = _shortened(problem, inputs, state, old, step)
    cost, new_cost = _total(old.terms), _total(trial.totals.terms)
    predicted = step.predicted(trial.share)
    accepted = (new_cost < cost) & (predicted > 0)
    damping = _next_damping(state.damping, accepted, (cost - new_cost) / predicted)

    # Little to gain is the end where nothing held the step back, else only several times in a row.
    enough = limits.cost_tolerance * cost
    little = (accepted & (cost - new_cost < enough)) | (predicted < enough)
    held_back = jnp.any(trial.share < 1.0) | (state.damping.factor > _FREE)
    quiet = jnp.where(little, state.quiet + 1, jnp.where(accepted, 0, state.quiet))
    small = jnp.max(jnp.abs(step.frames)) < limits.step_tolerance
    settled = (little & ~held_back) | (quiet >= _PATIENCE) | small
    return _State(
        frames=_choose(accepted, trial.frames, state.frames),
        shared=_choose(accepted, trial.shared, state.shared),
        totals=_choose(accepted, trial.totals, old),
        initial_cost=jnp.where(state.iterations == 0, cost, state.initial_cost),
        damping=damping,
        iterations=state.iterations + 1,
        quiet=quiet,
        done=settled | (damping.factor >= _LARGEST_DAMPING),
    )


def _shortened(problem: Problem, inputs: Inputs, state: _State, old: Totals, step: _Step) -> _Trial:
    """The step, shortened around the frames that it makes worst until it lowers the cost at all.

    Where few frames do not follow their linearisation (a foot that meets a riser, a joint that
    meets its limit), refusing the whole step would waste what it does for all others.
    """
    cost = _total(old.terms)
    slack = 1e-6 * cost / jnp.maximum(jnp.sum(inputs.frame_mask), 1)

    def attempt(share):
        frames = jax.vmap(jax.vmap(problem.retract_frame))(
            state.frames, step.frames * share[..., None]
        )
        shared = problem.retract_shared(state.shared, step.shared)
        return frames, shared, term_costs(problem, frames, shared, inputs)

    def worse(trial):
        rise = trial.totals.frames - old.frames
        rise = jnp.where(jnp.isfinite(rise), rise, jnp.inf)
        return (rise > slack) & (rise >= _NOTABLE * jnp.max(rise))

    def again(trial):
        fails = ~(_total(trial.totals.terms) < cost) & jnp.any(worse(trial))
        return (trial.tries == 0) | (fails & (trial.tries <= _MOST_CUTS))

    def cut(trial):
        shorter = _cut(trial.share, worse(trial))
        share = jnp.where(trial.tries == 0, trial.share, shorter)
        return _Trial(*attempt(share), share, trial.tries + 1)

    # The first attempt is made in the loop, so that its code is compiled once.
    start = _Trial(state.frames, state.shared, old, jnp.ones_like(old.frames), jnp.array(0))
    return jax.lax.while_loop(again, cut, start)


def _cut(share: Float[Array, "P T"], worse: Bool[Array, "P T"]) -> Float[Array, "P T"]:
    """A quarter of the share in frames that got worse and near them, passing over smoothly."""
    reach = 2
    length = share.shape[1]
    sides = jnp.pad(worse, ((0, 0), (reach, reach)))
    near = jnp.stack([sides[:, k : k + length] for k in range(2 * reach + 1)]).any(axis=0)
    share = jnp.where(near, _CUT_TO * share, share)
    sides = jnp.pad(share, ((0, 0), (reach, reach)), mode="edge")
    smooth = sum(
        w / 9.0 * sides[:, k : k + length] for k, w in enumerate((1.0, 2.0, 3.0, 2.0, 1.0))
    )
    return jnp.where(near, share, smooth)


def _next_damping(damping: _Damping, accepted: Bool[Array, ""], gain: Float[Array, ""]) -> _Damping:
    """Nielsen's rule."""
    lower = jnp.clip(1.0 - (2.0 * gain - 1.0) ** 3, 0.1, 2.0)
    factor = damping.factor * jnp.where(accepted, lower, damping.growth)
    return _Damping(
        jnp.clip(factor, _SMALLEST_DAMPING, _LARGEST_DAMPING),
        jnp.where(accepted, 2.0, 2.0 * damping.growth),
    )


def _damped_step(equations: NormalEquations, damping: _Damping) -> _Step:
    matrix = equations.matrix
    diagonal = jnp.diagonal(matrix.diagonal, axis1=-2, axis2=-1)
    corner = jnp.diagonal(matrix.corner)
    # Directions without information are held in place by a share of the largest entry; frames
    # without any information become an identity block.
    floor = 1e-6 * jnp.maximum(jnp.max(diagonal), 1e-12)
    blank = jnp.all(diagonal == 0, axis=-1, keepdims=True)
    added = jnp.where(blank, 1.0, damping.factor * jnp.maximum(diagonal, floor))
    shared_added = damping.factor * jnp.maximum(corner, floor)
    n, s = diagonal.shape[-1], corner.shape[0]
    damped = ArrowSystem(
        matrix.diagonal + added[..., None] * jnp.eye(n, dtype=diagonal.dtype),
        matrix.upper,
        matrix.border,
        matrix.corner + shared_added * jnp.eye(s, dtype=diagonal.dtype),
    )
    step, shared = solve_arrow(damped, -equations.gradient, -equations.shared_gradient)
    return _Step(
        step,
        shared,
        0.5 * jnp.sum(step * (added * step - equations.gradient), axis=-1),
        0.5 * jnp.sum(shared * (shared_added * shared - equations.shared_gradient)),
    )


def _total(costs: Costs) -> Float[Array, ""]:
    return jnp.sum(jnp.stack(list(costs.values())))


def _choose(condition, new, old):
    return jax.tree.map(lambda a, b: jnp.where(condition, a, b), new, old)
