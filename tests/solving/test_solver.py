"""The solver against SciPy, and what masks, padding and robust losses do to its answer."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.optimize import least_squares
from scipy.spatial.transform import Rotation

from stages.solving import (
    Limits,
    Problem,
    Robust,
    View,
    losses,
    pad_frames,
    pad_mask,
    padded_length,
    rotate_left,
    rotation_exp,
    rotation_log,
    rows,
    solve,
)
from stages.solving.linearise import linearise, term_costs
from stages.solving.rows import Inputs

# A body with an orientation and a position per frame sees four landmarks of a common, unknown
# scale; neighbours turn and move little.
LANDMARKS = np.array([[1.0, 0, 0], [0, 1, 0], [0, 0, 1], [-1, -0.5, 0.2]])


def retract(x, delta):
    return {"R": rotate_left(x["R"], delta[:3]), "p": x["p"] + delta[3:]}


def frame_residuals(x, log_scale, data, constants):
    seen = jnp.exp(log_scale) * constants["landmarks"] @ x["R"].T + x["p"]
    return {
        "seen": Robust((seen - data["seen"]) / 0.1, data["confidence"], losses.huber),
        "near": 0.05 * x["p"],
    }


def pair_residuals(x, x_next, log_scale, data, data_next, constants):
    turn = rotation_log(x["R"].T @ x_next["R"])
    step = jnp.exp(-log_scale) * (x_next["p"] - x["p"])
    return {"turn": constants["smooth"] * turn, "step": constants["smooth"] * step}


def shared_residuals(log_scale, constants):
    return {"scale": 0.1 * log_scale}


PROBLEM = Problem(
    frame_size=6,
    retract_frame=retract,
    frame_residuals=frame_residuals,
    pair_residuals=pair_residuals,
    shared_residuals=shared_residuals,
    shared_size=1,
    retract_shared=lambda s, delta: s + delta,
)


def example(people=2, frames=9, seed=3):
    rng = np.random.default_rng(seed)
    vectors = np.cumsum(0.2 * rng.normal(size=(people, frames, 3)), axis=1)
    R = np.asarray(rotation_exp(jnp.asarray(vectors)))
    p = np.cumsum(0.1 * rng.normal(size=(people, frames, 3)), axis=1)
    seen = 1.7 * np.einsum("ptij,kj->ptki", R, LANDMARKS) + p[:, :, None]
    seen += 0.02 * rng.normal(size=seen.shape)
    confidence = rng.uniform(0.2, 1.0, size=seen.shape[:3])
    start = {"R": np.broadcast_to(np.eye(3), R.shape), "p": np.zeros_like(p)}
    data = {"seen": seen, "confidence": confidence}
    return start, np.zeros(1), data, {"landmarks": LANDMARKS, "smooth": np.array(0.3)}


equations_of = jax.jit(lambda *a: linearise(*a)[1], static_argnums=0)


def cast(tree, dtype):
    return jax.tree.map(lambda leaf: jnp.asarray(leaf, dtype), tree)


def solve_example(example, mask, dtype=jnp.float64, **limits):
    start, shared, data, constants = cast(example, dtype)
    return solve(PROBLEM, start, shared, data, constants, mask, limits=Limits(**limits))


PRECISE = {"cost_tolerance": 1e-13, "step_tolerance": 1e-9}


def scipy_rows(z, example):
    """All residuals of a one-person example in NumPy and SciPy alone; z: rotvec and p, scale."""
    _start, _, data, _constants = example
    scale = np.exp(z[-1])
    v, p = z[:-1].reshape(-1, 6)[:, :3], z[:-1].reshape(-1, 6)[:, 3:]
    R = Rotation.from_rotvec(v).as_matrix()
    seen = scale * np.einsum("tij,kj->tki", R, LANDMARKS) + p[:, None]
    s = np.sum(((seen - data["seen"][0]) / 0.1) ** 2, axis=-1)
    loss = 2.0 * (np.sqrt(1.0 + s) - 1.0)
    turn = Rotation.from_matrix(np.swapaxes(R[:-1], 1, 2) @ R[1:]).as_rotvec()
    return np.concatenate(
        [
            np.sqrt(data["confidence"][0] * loss).ravel(),
            0.05 * p.ravel(),
            0.3 * turn.ravel(),
            0.3 * np.diff(p, axis=0).ravel() / scale,
            [0.1 * z[-1]],
        ]
    )


def test_reaches_the_minimum_that_scipy_finds():
    with jax.enable_x64(True):
        problem = example(people=1, frames=5)
        ours = solve_example(problem, jnp.ones((1, 5), bool), **PRECISE)
        z0 = np.zeros(5 * 6 + 1)
        found = least_squares(scipy_rows, z0, args=(problem,), xtol=1e-12, ftol=1e-12)
        assert ours.converged
        assert float(ours.cost) == pytest.approx(found.cost, rel=1e-7)
        np.testing.assert_allclose(
            ours.frames["p"][0], found.x[:-1].reshape(-1, 6)[:, 3:], atol=1e-4
        )


def features(x, log_scale, data, constants):
    seen = {"seen": jnp.exp(log_scale) * constants["landmarks"] @ x["R"].T + x["p"]}
    return seen, {"seen": seen["seen"][:2]}


def frame_residuals_of_features(view, log_scale, data, constants):
    seen = (view.features["seen"] - data["seen"]) / 0.1
    return {"seen": Robust(seen, data["confidence"], losses.huber)}


def pair_residuals_of_features(a, b, log_scale, data, data_next, constants):
    turn = rotation_log(a.x["R"].T @ b.x["R"])
    slide = jnp.exp(-log_scale) * (b.features["seen"] - a.features["seen"])
    return {"turn": turn, "slide": slide}


def test_features_change_the_work_and_not_the_equations():
    def plain_frame(x, s, data, constants):
        view = View(x, features(x, s, data, constants)[0])
        return frame_residuals_of_features(view, s, data, constants)

    def plain_pair(x, y, s, data, data_next, constants):
        a = View(x, features(x, s, data, constants)[1])
        b = View(y, features(y, s, data_next, constants)[1])
        return pair_residuals_of_features(a, b, s, data, data_next, constants)

    sizes = {
        "frame_size": 6,
        "shared_size": 1,
        "retract_frame": retract,
        "retract_shared": lambda s, delta: s + delta,
    }
    plain = Problem(frame_residuals=plain_frame, pair_residuals=plain_pair, **sizes)
    with_features = Problem(
        frame_residuals=frame_residuals_of_features,
        features=features,
        pair_residuals=pair_residuals_of_features,
        **sizes,
    )
    with jax.enable_x64(True):
        start, shared, data, constants = cast(example(), jnp.float64)
        mask = jnp.ones((2, 9), bool)
        inputs = Inputs(data, constants, mask, mask[:, 1:])
        one = equations_of(plain, start, shared, inputs)
        two = equations_of(with_features, start, shared, inputs)
        for a, b in zip(jax.tree.leaves(one), jax.tree.leaves(two), strict=True):
            np.testing.assert_allclose(a, b, atol=1e-9)


@pytest.mark.parametrize("seed", [0, 1])
def test_normal_equations_are_those_of_finite_differences(seed):
    with jax.enable_x64(True):
        start, shared, data, constants = cast(example(people=2, frames=4, seed=seed), jnp.float64)
        rng = np.random.default_rng(seed)
        start = jax.vmap(jax.vmap(retract))(start, jnp.asarray(0.3 * rng.normal(size=(2, 4, 6))))
        mask = jnp.asarray([[True] * 4, [True, True, True, False]])
        inputs = Inputs(data, constants, mask, mask[:, 1:] & mask[:, :-1])

        @jax.jit
        def cost(z):
            x = jax.vmap(jax.vmap(retract))(start, z[:-1].reshape(2, 4, 6))
            return sum(term_costs(PROBLEM, x, shared + z[-1:], inputs).terms.values())

        equations = equations_of(PROBLEM, start, shared, inputs)
        gradient = np.append(equations.gradient.ravel(), equations.shared_gradient)
        numeric = [(cost(e) - cost(-e)) / 2e-6 for e in 1e-6 * np.eye(49)]
        np.testing.assert_allclose(gradient, np.array(numeric), atol=2e-6, rtol=1e-5)


def test_gradient_and_blocks_of_masked_frames_are_exactly_zero():
    start, shared, data, constants = cast(example(people=1), jnp.float32)
    data["seen"] = data["seen"].at[0, 6:].set(jnp.nan)
    mask = jnp.arange(9)[None] < 6
    inputs = Inputs(data, constants, mask, mask[:, 1:])
    equations = equations_of(PROBLEM, start, shared, inputs)
    assert not equations.gradient[0, 6:].any()
    assert not equations.matrix.diagonal[0, 6:].any()
    assert not equations.matrix.upper[0, 5:].any()
    assert not equations.matrix.border[0, 6:].any()


def test_frames_taken_in_chunks_give_the_same_equations(monkeypatch):
    with jax.enable_x64(True):
        x, shared, data, constants = jax.tree.map(jnp.asarray, example(people=2, frames=12))
        mask = jnp.arange(12)[None] < jnp.asarray([[12], [7]])
        inputs = Inputs(data, constants, mask, mask[:, 1:])
        together = jax.jit(lambda x: linearise(PROBLEM, x, shared, inputs))(x)
        monkeypatch.setattr(rows, "CHUNK", 4)
        in_chunks = jax.jit(lambda x: linearise(PROBLEM, x, shared, inputs))
        assert "while" in in_chunks.lower(x).as_text()
        jax.tree.map(
            lambda a, b: np.testing.assert_allclose(a, b, atol=1e-12), together, in_chunks(x)
        )


def test_masked_frames_come_back_as_they_were_given():
    mask = np.arange(9)[None] < np.array([[9], [5]])
    solution = solve_example(example(), mask, jnp.float32)
    np.testing.assert_array_equal(solution.frames["p"][1, 5:], 0.0)
    assert np.abs(solution.frames["p"][1, :5]).max() > 0.01


@pytest.mark.parametrize("length", [12, 25])
def test_the_answer_does_not_depend_on_the_padding(length):
    with jax.enable_x64(True):
        start, shared, data, constants = example()
        mask = np.ones((2, 9), bool)
        plain = solve_example((start, shared, data, constants), mask, **PRECISE)
        padded = solve_example(
            (pad_frames(start, length), shared, pad_frames(data, length), constants),
            pad_mask(mask, length),
            **PRECISE,
        )
        np.testing.assert_allclose(padded.frames["p"][:, :9], plain.frames["p"], atol=1e-9)
        np.testing.assert_allclose(padded.shared, plain.shared, atol=1e-9)


def test_one_precision_agrees_with_two():
    single = solve_example(example(), np.ones((2, 9), bool), jnp.float32)
    with jax.enable_x64(True):
        double = solve_example(example(), np.ones((2, 9), bool), jnp.float64)
    assert float(single.cost) == pytest.approx(float(double.cost), rel=1e-4)
    np.testing.assert_allclose(single.frames["p"], double.frames["p"], atol=2e-3)


def test_people_are_tied_by_the_shared_numbers_alone():
    with jax.enable_x64(True):
        start, shared, data, constants = example()
        both = solve_example((start, shared, data, constants), np.ones((2, 9), bool), **PRECISE)
        mask = np.array([[True] * 9, [False] * 9])
        alone = solve_example((start, shared, data, constants), mask, **PRECISE)
        first = jax.tree.map(lambda leaf: leaf[:1], (start, data))
        single = solve_example(
            (first[0], shared, first[1], constants), np.ones((1, 9), bool), **PRECISE
        )
        np.testing.assert_allclose(alone.frames["p"][0], single.frames["p"][0], atol=1e-9)
        assert abs(float(both.shared[0] - alone.shared[0])) > 1e-6


def test_a_robust_loss_ignores_what_a_plain_one_follows():
    def residuals(loss):
        def frame(x, shared, data, constants):
            rows = x - data["seen"][:, None]
            return {"seen": Robust(rows, jnp.ones(rows.shape[0]), loss)}

        return frame

    seen = jnp.array([[[0.0, 0.1, -0.1, 0.05, 40.0]]])
    found = {}
    for loss in (losses.squared, losses.huber, losses.cauchy, losses.geman_mcclure):
        problem = Problem(1, lambda x, d: x + d, residuals(loss))
        found[loss] = float(
            solve(
                problem, jnp.zeros((1, 1, 1)), None, {"seen": seen}, None, jnp.ones((1, 1), bool)
            ).frames[0, 0, 0]
        )
    assert found[losses.squared] == pytest.approx(8.01, abs=1e-3)
    assert abs(found[losses.geman_mcclure]) < 0.02
    assert abs(found[losses.cauchy]) < 0.1
    assert abs(found[losses.huber]) < 0.5


def test_a_start_far_away_still_converges():
    start, shared, data, constants = example()
    turned = np.asarray(rotation_exp(jnp.array([0.0, 1.5, 0.0])))
    start = {"R": np.broadcast_to(turned, start["R"].shape), "p": start["p"] + 2.0}
    near = solve_example(example(), np.ones((2, 9), bool), jnp.float32)
    far = solve_example((start, shared + 2.0, data, constants), np.ones((2, 9), bool), jnp.float32)
    assert float(far.cost) == pytest.approx(float(near.cost), rel=1e-3)


@pytest.mark.parametrize(("frames", "length"), [(1, 100), (100, 100), (101, 200), (350, 400)])
def test_lengths_are_padded_to_hundreds(frames, length):
    assert padded_length(frames) == length
