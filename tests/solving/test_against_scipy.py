"""On short problems SciPy's solver, longer padding and single precision end in one minimum."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.optimize import least_squares

from bench.solve.child import stage_run
from bench.solve.recording import recorded
from stages.solving import Limits, Problem, Robust, View, solve

FRAMES = 10


def numbers(residuals: dict[str, Any]) -> jax.Array:
    """A vector whose half square is the cost; robust rows shortened to what their loss leaves."""
    parts = [jnp.zeros(0)]
    for residual in residuals.values():
        if isinstance(residual, Robust):
            squares = (residual.rows**2).sum(1)
            share = residual.loss(squares + 1e-12) / (squares + 1e-12)
            factor = jnp.sqrt(jax.lax.stop_gradient(residual.weight)) * jnp.sqrt(share)
            parts.append((factor[:, None] * residual.rows).ravel())
        else:
            parts.append(jnp.ravel(residual))
    return jnp.concatenate(parts)


def vector_of(problem: Problem, call: dict[str, Any]) -> tuple[Callable, int]:
    """All residuals as a function of all tangents at the call's start, and how many these are."""
    given = (call[name] for name in ("frames", "shared", "data", "constants"))
    start, shared, data, c = jax.tree.map(jnp.asarray, tuple(given))
    P, T = call["frame_mask"].shape
    frames = problem.frame_size * P * T
    frame_mask = jnp.asarray(call["frame_mask"])
    pair_mask = frame_mask[:, :-1] & frame_mask[:, 1:]

    def of_frame(x, shared, d):
        seen = x
        if problem.features:
            seen = View(x, problem.features(x, shared, d, c)[0])
        rows = [numbers(problem.frame_residuals(seen, shared, d, c))]
        if problem.blocks and problem.blocks.frame_residuals:
            rows.append(numbers(problem.blocks.frame_residuals(x, d, c)))
        return jnp.concatenate(rows)

    def of_pair(a, b, shared, d, e):
        views = (a, b)
        if problem.features:
            views = tuple(
                View(x, problem.features(x, shared, own, c)[1]) for x, own in ((a, d), (b, e))
            )
        rows = [numbers(problem.pair_residuals(*views, shared, d, e, c))]
        if problem.blocks and problem.blocks.pair_residuals:
            rows.append(numbers(problem.blocks.pair_residuals(a, b, d, e, c)))
        return jnp.concatenate(rows)

    def everything(delta):
        moved = jax.vmap(jax.vmap(problem.retract_frame))(
            start, delta[:frames].reshape(P, T, problem.frame_size)
        )
        s = problem.retract_shared(shared, delta[frames:])
        each = jax.vmap(jax.vmap(of_frame, (0, None, 0)), (0, None, 0))(moved, s, data)
        before, after = (
            jax.tree.map(lambda leaf, cut=cut: leaf[:, cut], (moved, data))
            for cut in (slice(None, -1), slice(1, None))
        )
        axes = (0, 0, None, 0, 0)
        pairs = jax.vmap(jax.vmap(of_pair, axes), axes)(before[0], after[0], s, before[1], after[1])
        return jnp.concatenate(
            [
                jnp.where(frame_mask[..., None], each, 0.0).ravel(),
                jnp.where(pair_mask[..., None], pairs, 0.0).ravel(),
                numbers(problem.shared_residuals(s, c)),
            ]
        )

    return everything, frames + problem.shared_size


def doubled(call: dict[str, Any], frames: int) -> dict[str, Any]:
    """The call with so many of its frames, in double precision."""

    def double(leaf: Any) -> np.ndarray:
        array = np.asarray(leaf)
        return array.astype(np.float64) if array.dtype.kind == "f" else array

    call = dict(call)
    for name in ("frames", "data", "frame_mask"):
        call[name] = jax.tree.map(lambda leaf: double(leaf)[:, :frames], call[name])
    for name in ("shared", "constants"):
        call[name] = jax.tree.map(double, call[name])
    return call


@pytest.mark.parametrize("stage", [2, 4])
def test_scipy_padding_and_single_precision_lead_to_the_same_minimum(stage: int) -> None:
    module, run = stage_run(stage, 0, FRAMES)
    call = recorded(module, run).arguments[-1]
    problem = call["problem"]
    single = solve(**(call | {"limits": Limits(200, 1e-7, 1e-6, 1e-3)}))
    jax.clear_caches()  # what was traced in single precision does not fit
    precise = {"limits": Limits(200, 1e-10, 1e-9, 1e-3)}
    with jax.enable_x64(True):
        short = doubled(call, FRAMES)
        ours = solve(**(short | precise))
        padded = solve(**(doubled(call, 100) | precise))
        vector, size = vector_of(problem, short)
        value, slope = jax.jit(vector), jax.jit(jax.jacfwd(vector))
        zero = np.zeros(size)
        assert 0.5 * float((value(zero) ** 2).sum()) == pytest.approx(float(ours.initial_cost))
        theirs = least_squares(
            lambda x: np.asarray(value(x)), zero, lambda x: np.asarray(slope(x)),
            method="trf", x_scale="jac", ftol=1e-10, xtol=1e-10, gtol=None, max_nfev=200,
        )  # fmt: skip
    assert float(ours.cost) < float(ours.initial_cost)
    assert theirs.cost == pytest.approx(float(ours.cost), rel=1e-3)
    assert float(single.cost) == pytest.approx(float(ours.cost), rel=1e-4)
    assert float(padded.cost) == pytest.approx(float(ours.cost), rel=1e-9)
    apart_m = np.abs(np.asarray(single.frames.p)[:, :FRAMES] - np.asarray(ours.frames.p)).max()
    assert apart_m < 1e-3
    np.testing.assert_allclose(np.asarray(padded.frames.p)[:, :FRAMES], ours.frames.p, atol=1e-6)
