"""Rows that each depend on one point: a few seeds differentiate all, closed forms do the rest.

A point is a feature of a frame, such as the place of a keypoint. Where row k of a residual depends
on point k alone, three seeds (one per coordinate) give the derivatives of all rows by their points,
however many rows and variables there are; the points' own derivatives by the variables are written
down by the problem (`PointFeatures.jacobian`), and the chain rule is a product of small matrices.
"""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.flatten_util import ravel_pytree
from jaxtyping import Array, Float

from stages.solving.problem import Frame, PointFeatures, Problem, Shared, View
from stages.solving.rows import Features, Inputs, Rows, dtype_of, flatten, over_frames


def feature_rows(
    problem: Problem, points: PointFeatures, x: Frame, shared: Shared, inputs: Inputs
) -> tuple[Rows, Features]:
    """As the frames' rows made by differentiating everything: columns frame, then shared."""
    assert problem.features is not None
    features = problem.features

    def rows(x, shared, data):
        places, for_pairs = features(x, shared, data, inputs.constants)
        by_frame, pairs_by_frame = points.jacobian(x, data, inputs.constants)
        widest = max(place.shape[1] for place in places.values())

        def residuals(delta):
            moved = {name: place + delta[: place.shape[1]] for name, place in places.items()}
            moved_shared = problem.retract_shared(shared, delta[widest:])
            return problem.frame_residuals(View(x, moved), moved_shared, data, inputs.constants)

        seeds = jnp.zeros(widest + problem.shared_size, dtype_of(x))
        here = residuals(seeds)
        r, weight, costs = flatten(here)
        root = jnp.sqrt(weight)
        slope = jax.jacfwd(lambda delta: flatten(residuals(delta))[0])(seeds) * root[:, None]
        sizes = [flatten({term: residual})[0].size for term, residual in here.items()]
        parts = jnp.split(slope, np.cumsum(sizes)[:-1])
        J = [
            _chained(part, by_frame[points.groups[term]], widest)
            for term, part in zip(here, parts, strict=True)
        ]
        found = Rows(r * root, jnp.concatenate(J), costs)
        return found, Features(ravel_pytree(for_pairs)[0], _by_row(pairs_by_frame, problem))

    return over_frames(rows, 1)(x, shared, inputs.data)


def _chained(
    slope: Float[Array, "m w"], by_frame: Float[Array, "k d n"], widest: int
) -> Float[Array, "m n+s"]:
    """Derivatives by points times those of points by the frame; shared columns stay."""
    count, size, _ = by_frame.shape
    slopes = slope.reshape(count, -1, slope.shape[1])
    terms = [slopes[:, :, a, None] * by_frame[:, None, a] for a in range(size)]
    by_variables = jnp.concatenate([sum(terms), slopes[:, :, widest:]], axis=-1)
    return by_variables.reshape(len(slope), -1)


def _by_row(jacobian: Any, problem: Problem) -> Float[Array, "F n+s"]:
    """Features for pairs one under the other; they do not depend on the shared numbers."""
    leaves = [leaf.reshape(-1, problem.frame_size) for leaf in jax.tree.leaves(jacobian)]
    return jnp.pad(jnp.concatenate(leaves), ((0, 0), (0, problem.shared_size)))
