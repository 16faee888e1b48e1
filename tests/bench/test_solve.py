"""What `make bench-solve` measures: true problems, recorded calls, honest ratios."""

import jax.numpy as jnp
import numpy as np
import pytest

from bench.solve import problems
from bench.solve.__main__ import ratios
from bench.solve.recording import Batch, recorded
from stages.solving import Limits, Problem, solve

PROBLEM = Problem(1, lambda x, d: x + d, lambda x, s, data, c: {"seen": x - data})


class Core:
    """A module whose solver is called `solve`, as a stage's core has it."""

    solve = staticmethod(solve)


def call(value):
    return Core.solve(
        PROBLEM, jnp.zeros((1, 4, 1)), None, jnp.full((1, 4, 1), value), None,
        jnp.ones((1, 4), bool), limits=Limits(20),
    )  # fmt: skip


@pytest.mark.parametrize("frames", [30, 250])
def test_problems_have_any_length_and_differ_by_their_number(frames):
    one, two = (problems.measured(number, frames) for number in (0, 2))
    assert one.track.pixels.shape == (frames, 18, 2)
    assert np.isfinite(one.around.depths).all()
    assert np.abs(one.track.pixels - two.track.pixels).max() > 1
    person, terrain = problems.performed(0, frames)
    assert person.joints.shape == (frames, 45, 3)
    below = person.joints[:, 10].astype(float)
    assert np.isfinite(terrain.surface_at(below)).all()


def test_calls_are_recorded_and_the_same_together_as_alone():
    recordings = [recorded(Core, lambda value=value: call(value)) for value in (1.0, 2.0)]
    assert [len(r.solutions) for r in recordings] == [1, 1]
    assert recordings[0].seconds[0] > 0
    found = Batch.of([r.arguments[0] for r in recordings]).run()
    np.testing.assert_allclose(found.frames[:, 0, :, 0], [[1.0] * 4, [2.0] * 4], atol=1e-3)


def test_growth_is_of_the_longest_over_the_shortest():
    cases = [
        {"stage": 2, "frames": frames, "warm": {"solve_s": seconds, "iterations": [5, 5]}}
        for frames, seconds in ((100, 0.5), (1000, 4.0))
    ]
    assert ratios(cases, []) == [
        "stage 2: 1000 frames take 8.0 times as long as 100, 8.0 times an iteration"
    ]
