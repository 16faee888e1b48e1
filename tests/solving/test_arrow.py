"""The block solvers, frame by frame and all frames at once, give what a dense solver gives."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from stages.solving.arrow import ArrowSystem, all_frames_at_once, frame_by_frame

METHODS = pytest.mark.parametrize("method", [frame_by_frame, all_frames_at_once])


def random_system(people, frames, n, s, seed=0):
    """Jacobian-made normal equations, so that the matrix is positive definite."""
    rng = np.random.default_rng(seed)
    size = people * frames * n + s
    rows = []
    for p in range(people):
        for t in range(frames):
            block = np.zeros((2 * n, size))
            start = (p * frames + t) * n
            stop = start + n * (2 if t + 1 < frames else 1)
            block[:, start:stop] = rng.normal(size=(2 * n, stop - start))
            block[:, size - s :] = rng.normal(size=(2 * n, s))
            rows.append(block)
    J = np.concatenate(rows)
    return J.T @ J + 0.1 * np.eye(size), rng.normal(size=size)


def blocks_of(matrix, people, frames, n, s):
    z = people * frames * n
    body = matrix[:z, :z].reshape(people, frames, n, people, frames, n)
    diagonal = np.array([[body[p, t, :, p, t] for t in range(frames)] for p in range(people)])
    upper = np.array(
        [[body[p, t, :, p, t + 1] for t in range(frames - 1)] for p in range(people)]
    ).reshape(people, frames - 1, n, n)
    border = matrix[:z, z:].reshape(people, frames, n, s)
    return ArrowSystem(*map(jnp.asarray, (diagonal, upper, border, matrix[z:, z:])))


@METHODS
@pytest.mark.parametrize(
    ("people", "frames", "n", "s"),
    [(1, 7, 5, 3), (2, 12, 4, 0), (3, 2, 3, 1), (4, 5, 3, 2), (1, 1, 3, 2), (1, 33, 12, 1)],
)
def test_agrees_with_a_dense_solve(method, people, frames, n, s):
    with jax.enable_x64(True):
        matrix, rhs = random_system(people, frames, n, s, seed=people)
        g, h = rhs[: rhs.size - s].reshape(people, frames, n), rhs[rhs.size - s :]
        z, shared = method(blocks_of(matrix, people, frames, n, s), jnp.array(g), jnp.array(h))
        expected = np.linalg.solve(matrix, rhs)
        np.testing.assert_allclose(np.concatenate([z.ravel(), shared]), expected, atol=1e-9)


@METHODS
def test_single_precision_keeps_five_digits_of_long_chains(method):
    matrix, rhs = random_system(1, 100, 6, 2)
    system = jax.tree.map(lambda leaf: leaf.astype(jnp.float32), blocks_of(matrix, 1, 100, 6, 2))
    g, h = (jnp.asarray(part, jnp.float32) for part in (rhs[:-2].reshape(1, 100, 6), rhs[-2:]))
    z, _ = method(system, g, h)
    expected = np.linalg.solve(matrix, rhs)[:-2]
    np.testing.assert_allclose(z.ravel(), expected, atol=1e-5 * np.abs(expected).max())


@METHODS
def test_a_matrix_that_is_not_positive_definite_gives_no_number(method):
    system = ArrowSystem(
        -jnp.ones((1, 2, 1, 1)), jnp.zeros((1, 1, 1, 1)), jnp.zeros((1, 2, 1, 0)), jnp.zeros((0, 0))
    )
    z, _ = method(system, jnp.ones((1, 2, 1)), jnp.zeros(0))
    assert np.isnan(np.asarray(z)).any()
