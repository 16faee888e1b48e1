"""The derivatives that the solver uses are those of finite differences, for every term."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from synthetic_scenes import PICKER

from stages.solving import View
from stages.solving.rows import flatten
from stages.stage2_megahunter import optimisation
from stages.stage2_megahunter.terms import PROBLEM

N = PROBLEM.frame_size


@pytest.fixture(scope="module")
def point(noisy):
    """Two neighbouring frames somewhere away from the start, in double precision."""
    caught = {}

    def catch(problem, start, log_scale, data, constants, *rest):
        caught.update(start=start, log_scale=log_scale, data=data, constants=constants)
        raise StopIteration

    with pytest.MonkeyPatch.context() as patch, pytest.raises(StopIteration):
        patch.setattr(optimisation, "solve", catch)
        optimisation.solve_scene(noisy.cameras, [noisy.track], [noisy.around], PICKER)
    with jax.enable_x64(True):
        double = jax.tree.map(lambda a: jnp.asarray(a, jnp.float64), caught)
        rng = np.random.default_rng(0)
        t = int(np.flatnonzero(noisy.track.planted.all(axis=1))[0])

        def at(t):
            x, data = (jax.tree.map(lambda a: a[0, t], double[k]) for k in ("start", "data"))
            data = data._replace(point_weights=jnp.full(18, 0.7))
            return PROBLEM.move_frame(x, jnp.asarray(0.1 * rng.normal(size=N))), data

        return at(t), at(t + 1), double["log_scale"], double["constants"]


def check(rows, size):
    """`rows(delta, move)`: its Jacobian at zero by the nudge against differences of the move."""
    exact = jax.jacfwd(lambda d: rows(d, PROBLEM.nudge_frame))(jnp.zeros(size))
    moved = jax.jit(lambda d: rows(d, PROBLEM.move_frame))
    steps = 1e-6 * np.eye(size)
    numeric = np.stack([(moved(e) - moved(-e)) / 2e-6 for e in steps], axis=1)
    np.testing.assert_allclose(exact, numeric, atol=3e-6 * max(1.0, np.abs(numeric).max()))
    assert np.abs(numeric).max() > 0.1


def test_residuals_of_a_frame(point):
    with jax.enable_x64(True):
        (x, data), _, log_scale, constants = point

        def rows(delta, move):
            y, s = move(x, delta[:N]), log_scale + delta[N:]
            view = View(y, PROBLEM.features(y, s, data, constants)[0])
            return flatten(PROBLEM.frame_residuals(view, s, data, constants))[0]

        check(rows, N + 1)


def test_residuals_of_two_frames(point):
    with jax.enable_x64(True):
        (x, data), (y, data_next), log_scale, constants = point

        def rows(delta, move):
            views = []
            for pose, d, seen in ((x, delta[:N], data), (y, delta[N:], data_next)):
                moved = move(pose, d)
                features = PROBLEM.features(moved, log_scale, seen, constants)
                views.append(View(moved, features[1]))
            pair = PROBLEM.pair_residuals(*views, log_scale, data, data_next, constants)
            return flatten(pair)[0]

        check(rows, 2 * N)


def test_residuals_of_single_joints(point):
    with jax.enable_x64(True):
        (x, data), (y, data_next), _, constants = point
        blocks = PROBLEM.blocks

        def rows(delta, move):
            a, b = move(x, delta[:N]), move(y, delta[N:])
            one = blocks.frame_residuals(a, data, constants)
            two = blocks.pair_residuals(a, b, data, data_next, constants)
            return jnp.concatenate([r.ravel() for r in (*one.values(), *two.values())])

        check(rows, 2 * N)
