"""Robust losses: how the squared length of a residual row becomes a cost.

Each takes the squared length s >= 0 and returns rho(s) with rho(0) = 0 and rho'(0) = 1, in units
where the row's expected size is one: divide the residual by its tolerance first and put the
importance into the row's weight. The solver reweights rows by rho'(s) (iteratively reweighted
least squares), as in Barron, "A General and Adaptive Robust Loss Function", CVPR 2019.
"""

import jax.numpy as jnp
from jaxtyping import Array, Float


def squared(s: Float[Array, " k"]) -> Float[Array, " k"]:
    """Plain least squares."""
    return s


def huber(s: Float[Array, " k"]) -> Float[Array, " k"]:
    """Smooth Huber (pseudo-Huber): quadratic inside one unit, linear outside."""
    return 2.0 * s / (jnp.sqrt(1.0 + s) + 1.0)


def cauchy(s: Float[Array, " k"]) -> Float[Array, " k"]:
    """Logarithmic outside one unit: outliers keep pulling, ever more weakly."""
    return jnp.log1p(s)


def geman_mcclure(s: Float[Array, " k"]) -> Float[Array, " k"]:
    """Bounded by one: rows far outside one unit stop pulling."""
    return s / (1.0 + s)
