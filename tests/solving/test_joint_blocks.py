"""Residuals written as blocks give the same equations as written for the whole frame."""

import jax
import jax.numpy as jnp
import numpy as np

from stages.solving import (
    Blocks,
    Problem,
    rotate_left,
    rotate_left_linear,
    rotation_exp,
    rotation_log,
)
from stages.solving.linearise import linearise
from stages.solving.rows import Inputs

JOINTS = 3


def retract(x, delta):
    return {"R": rotate_left(x["R"], delta[1:].reshape(JOINTS, 3)), "p": x["p"] + delta[:1]}


def linear_retract(x, delta):
    return {"R": rotate_left_linear(x["R"], delta[1:].reshape(JOINTS, 3)), "p": x["p"] + delta[:1]}


def prior(x, data, constants):
    return {"prior": constants["prior"] * (x["R"] - data["R0"]).reshape(JOINTS, 9)}


def turn(x, x_next, data, data_next, constants):
    return {"turn": rotation_log(jnp.swapaxes(x["R"], -1, -2) @ x_next["R"])}


WHOLE = Problem(
    frame_size=1 + 3 * JOINTS,
    retract_frame=retract,
    frame_residuals=lambda x, shared, data, constants: prior(x, data, constants),
    pair_residuals=lambda x, y, shared, data, data_next, constants: turn(
        x, y, data, data_next, constants
    ),
)
BLOCKS = Problem(
    frame_size=1 + 3 * JOINTS,
    retract_frame=retract,
    linear_retract_frame=linear_retract,
    blocks=Blocks(1, 3, JOINTS, prior, turn),
)


def test_blocks_change_the_work_and_not_the_equations():
    with jax.enable_x64(True):
        rng = np.random.default_rng(0)
        R, R0 = (rotation_exp(jnp.asarray(rng.normal(size=(2, 5, JOINTS, 3)))) for _ in range(2))
        x = {"R": R, "p": jnp.zeros((2, 5, 1))}
        mask = jnp.asarray([[True] * 5, [True] * 3 + [False] * 2])
        inputs = Inputs({"R0": R0}, {"prior": 0.7}, mask, mask[:, 1:])
        run = jax.jit(linearise, static_argnums=0)
        one, two = run(WHOLE, x, None, inputs), run(BLOCKS, x, None, inputs)
        assert float(one[0].terms["turn"]) > 0.1
        jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, atol=1e-12), one, two)
