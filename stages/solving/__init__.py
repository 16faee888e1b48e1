"""Least squares on trajectories: a block of variables a frame, neighbours tied, few shared numbers.

Example: a point on a line seen with an unknown common offset, moving smoothly.

    import jax.numpy as jnp
    from stages.solving import Problem, solve

    def retract(x, delta):                    # rotations: rotate_left(R, delta)
        return {"position": x["position"] + delta}

    def frame_residuals(x, shared, data, constants):
        return {"seen": x["position"] + shared - data["seen"]}

    def pair_residuals(x, x_next, shared, data, data_next, constants):
        return {"smooth": constants["smooth"] * (x_next["position"] - x["position"])}

    def shared_residuals(shared, constants):
        return {"small offset": 0.1 * shared}

    problem = Problem(
        frame_size=1, retract_frame=retract, frame_residuals=frame_residuals,
        pair_residuals=pair_residuals, shared_residuals=shared_residuals,
        shared_size=1, retract_shared=lambda shared, delta: shared + delta, pairs_use_shared=False,
    )
    solution = solve(
        problem,
        {"position": jnp.zeros((1, 100, 1))},  # leaves: people, frames, ...
        jnp.zeros(1),
        {"seen": jnp.ones((1, 100, 1))},
        {"smooth": 2.0},
        frame_mask=jnp.arange(100)[None] < 87,  # padding is False
    )
    solution.frames["position"], solution.term_costs["seen"]

Residual functions see one frame without leading axes and name their terms. A term that should
resist outliers returns `Robust(rows, weight, losses.geman_mcclure)` instead of an array. Pad with
`pad_frames(tree, padded_length(T))` and call `use_compilation_cache()` once per process. Where pair
residuals need kinematics, compute these in `Problem.features`, with closed-form derivatives in
`Problem.point_features`; put priors and smoothness of single joints into `Problem.blocks`.
"""

from stages.geometry.padding import padded_length
from stages.solving import losses
from stages.solving.compilation_cache import use_compilation_cache
from stages.solving.manifolds import (
    hat,
    matmul_3x3,
    rotate_left,
    rotate_left_linear,
    rotation_exp,
    rotation_log,
)
from stages.solving.padding import pad_frames, pad_mask
from stages.solving.problem import Blocks, Limits, PointFeatures, Problem, Robust, Solution, View
from stages.solving.programs import digest_of
from stages.solving.solver import solve

__all__ = [
    "Blocks",
    "Limits",
    "PointFeatures",
    "Problem",
    "Robust",
    "Solution",
    "View",
    "digest_of",
    "hat",
    "losses",
    "matmul_3x3",
    "pad_frames",
    "pad_mask",
    "padded_length",
    "rotate_left",
    "rotate_left_linear",
    "rotation_exp",
    "rotation_log",
    "solve",
    "use_compilation_cache",
]
