"""Derivatives of a whole problem against central differences, for tests of problems."""

import jax
import jax.numpy as jnp
import numpy as np

from stages.solving import View
from stages.solving.joint_blocks import block_sums
from stages.solving.linearise import frame_rows, pair_rows
from stages.solving.rows import Inputs, flatten

STEP = 1e-6


def assert_rows_change_as_differences_say(problem, x, shared, data, constants):
    """Two neighbouring frames of one person (leaves 1, 2, ...) in double precision.

    Returns the names of the terms that changed at all.
    """
    n, s = problem.frame_size, problem.shared_size
    inputs = Inputs(data, constants, jnp.ones((1, 2), bool), jnp.ones((1, 1), bool))
    (a, b), (seen, seen_next) = (
        [jax.tree.map(lambda leaf, t=t: leaf[0, t], tree) for t in (0, 1)] for tree in (x, data)
    )

    def views(pose, moved, seen):
        if problem.features is None:
            return pose, pose
        return [View(pose, f) for f in problem.features(pose, moved, seen, constants)]

    def frame(delta):
        moved = problem.retract_shared(shared, delta[n:])
        view = views(problem.retract_frame(a, delta[:n]), moved, seen)[0]
        return problem.frame_residuals(view, moved, seen, constants)

    def pair(delta):
        uses = problem.pairs_use_shared
        moved = problem.retract_shared(shared, delta[2 * n :]) if uses else shared
        one = views(problem.retract_frame(a, delta[:n]), moved, seen)[1]
        two = views(problem.retract_frame(b, delta[n : 2 * n]), moved, seen_next)[1]
        return problem.pair_residuals(one, two, moved, seen, seen_next, constants)

    of_frames, features = jax.jit(frame_rows, static_argnums=0)(problem, x, shared, inputs)
    found = jax.jit(pair_rows, static_argnums=0)(problem, x, shared, features, inputs)
    wide = s if problem.pairs_use_shared else 0
    busy = _assert_close(frame, n + s, of_frames.r[0, 0], of_frames.J[0, 0])
    busy |= _assert_close(pair, 2 * n + wide, found.r[0, 0], found.J[0, 0])
    if problem.blocks:
        busy |= _assert_blocks_close(problem, x, inputs, (a, b), (seen, seen_next))
    return busy


def _numeric(residuals, size):
    """Rows at zero, their weights, and differences; names of the terms that changed."""
    order: list[str] = []

    @jax.jit
    def rows(delta):
        found = residuals(delta)
        order[:] = found  # a compiled function sorts what it returns
        return {term: flatten({term: residual}) for term, residual in found.items()}

    here = rows(jnp.zeros(size))
    here = {term: here[term] for term in order}
    ends = jax.device_get([(rows(STEP * e), rows(-STEP * e)) for e in np.eye(size)])
    slopes = {
        term: np.stack([(up[term][0] - down[term][0]) / (2 * STEP) for up, down in ends], axis=1)
        for term in here
    }
    busy = {term for term, slope in slopes.items() if np.abs(slope).max(initial=0.0) > 1e-6}
    return here, slopes, busy


def _assert_close(residuals, size, r, J):
    here, slopes, busy = _numeric(residuals, size)
    row = 0
    for term, (plain, weight, _) in here.items():
        part = slice(row, row + len(plain))
        root = np.sqrt(weight)
        scale = max(1.0, np.abs(root[:, None] * slopes[term]).max(initial=0.0))
        np.testing.assert_allclose(r[part], root * plain, atol=1e-9, err_msg=term)
        np.testing.assert_allclose(
            J[part], root[:, None] * slopes[term], atol=2e-5 * scale, err_msg=term
        )
        row = part.stop
    assert row == len(r)
    return busy


def _assert_blocks_close(problem, x, inputs, frames, seen):
    n, blocks = problem.frame_size, problem.blocks

    def residuals(delta):
        a, b = (
            problem.retract_frame(y, d) for y, d in zip(frames, jnp.split(delta, 2), strict=True)
        )
        pair = blocks.pair_residuals(a, b, *seen, inputs.constants) if blocks.pair_residuals else {}
        own = {}
        for name, (y, data) in (("", (a, seen[0])), (" next", (b, seen[1]))):
            if blocks.frame_residuals:
                found = blocks.frame_residuals(y, data, inputs.constants)
                own |= {f"{term}{name}": rows for term, rows in found.items()}
        return {**own, **pair}

    here, slopes, busy = _numeric(residuals, 2 * n)
    J = np.concatenate([slopes[term] for term in here])
    r = np.concatenate([here[term][0] for term in here])

    @jax.jit
    def sums(x):
        nothing = jnp.zeros((1, 2, n, n)), jnp.zeros((1, 1, n, n)), jnp.zeros((1, 2, n))
        return block_sums(problem, blocks, x, inputs).added_to(*nothing)

    diagonal, upper, gradient = sums(x)
    H, scale = J.T @ J, max(1.0, np.abs(J).max() ** 2)
    np.testing.assert_allclose(diagonal[0, 0], H[:n, :n], atol=2e-5 * scale)
    np.testing.assert_allclose(diagonal[0, 1], H[n:, n:], atol=2e-5 * scale)
    np.testing.assert_allclose(upper[0, 0], H[:n, n:], atol=2e-5 * scale)
    np.testing.assert_allclose(gradient[0].ravel(), J.T @ r, atol=2e-5 * scale)
    return busy
