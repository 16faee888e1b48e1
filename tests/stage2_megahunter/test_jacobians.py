"""The derivatives that the solver uses are those of finite differences, for every term."""

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from bench.robustness.scenes import PICKER
from stages.people.contact_parts import PARTS
from stages.stage2_megahunter import optimisation
from stages.stage2_megahunter.terms import PROBLEM
from tests.solving.differences import assert_rows_change_as_differences_say


@pytest.fixture(scope="module")
def point(noisy):
    """Two neighbouring frames somewhere away from the start, in double precision."""
    caught = {}

    def catch(problem, start, log_scale, data, constants, *rest):
        caught.update(start=start, log_scale=log_scale, data=data, constants=constants)
        raise StopIteration

    with pytest.MonkeyPatch.context() as patch, pytest.raises(StopIteration):
        patch.setattr(optimisation, "solve", catch)
        all_touch = np.ones((len(noisy.track.valid), PARTS), bool)
        track = replace(noisy.track, part_contacts=all_touch)
        optimisation.solve_scene(noisy.cameras, [track], [noisy.around], PICKER)
    with jax.enable_x64(True):
        double = jax.tree.map(lambda a: jnp.asarray(a, jnp.float64), caught)
        rng = np.random.default_rng(0)
        t = int(np.flatnonzero(noisy.track.contacts.all(axis=1))[0])

        two = slice(t, t + 2)
        x, data = (jax.tree.map(lambda a: a[:, two], double[k]) for k in ("start", "data"))
        weights = jnp.full(data.point_weights.shape, 0.7)
        moves = jnp.asarray(0.1 * rng.normal(size=(1, 2, PROBLEM.frame_size)))
        x = jax.vmap(jax.vmap(PROBLEM.retract_frame))(x, moves)
        touching = jnp.ones_like(data.part_contacts)
        data = data._replace(
            point_weights=weights, part_contacts=touching, dt=jnp.array([[0.6, 2.5]])
        )
        return x, double["log_scale"] + 0.1, data, double["constants"]


def test_every_term_changes_as_differences_say(point):
    with jax.enable_x64(True):
        busy = assert_rows_change_as_differences_say(PROBLEM, *point)
        named = set(PROBLEM.point_features.groups) | {
            "translation smoothness", "translation step", "translation acceleration",
            "planted feet", "held parts", "rotation prior", "root rotation smoothness",
            "local pose smoothness",
        }  # fmt: skip
        assert busy >= named, "a term that is never at work is not tested"
