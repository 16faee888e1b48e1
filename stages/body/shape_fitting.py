"""Shapes to measure: a body of an asked stature, a body with asked limb lengths.

The original's height formula adds a constant to the distance from head joint to foot joint, so
that the fitted body is not as tall as asked; here the skin itself is measured.
"""

from collections.abc import Mapping

import numpy as np
from jaxtyping import Float
from scipy.optimize import least_squares

from stages.body.joint_names import SMPL24_NAMES, smpl45_row
from stages.body.model import BETA_COUNT, BodyModel

SHORTEST_M, TALLEST_M = 1.0, 2.4
LENGTH_TOLERANCE_M = 0.01
"""A limb that misses its length by this much costs as much as one unit of prior."""
USUAL_BETA = 3.0
"""Spread that a shape fitted to a robot is expected to need; people stay within 2."""
LARGEST_BETA = 8.0


def stature_m(model: BodyModel, betas: Float[np.ndarray, " 10"]) -> float:
    """Height of the body in its zero pose from the lowest to the highest point of the skin."""
    y = model.v_template[:, 1] + model.shapedirs[:, 1] @ np.asarray(betas, np.float64)
    return float(y.max() - y.min())


def fit_height(
    model: BodyModel, height_m: float, near: Float[np.ndarray, " 10"] | None = None
) -> Float[np.ndarray, " 10"]:
    """The shape nearest to `near` (default: the mean body) that is `height_m` tall.

    Nearest in betas, whose spread among people is 1 each: the likeliest body of that stature.
    The stature is met to 0.1 mm.

    Raises:
        ValueError: no adult height, or the model's shapes do not change the stature.
    """
    if not SHORTEST_M <= height_m <= TALLEST_M:
        raise ValueError(
            f"a height of {height_m:g} m is not one of an adult; "
            f"give one from {SHORTEST_M:g} to {TALLEST_M:g} m"
        )
    start = np.zeros(BETA_COUNT) if near is None else np.asarray(near, np.float64)
    betas = start.copy()
    for _ in range(50):
        y = model.v_template[:, 1] + model.shapedirs[:, 1] @ betas
        top, bottom = int(y.argmax()), int(y.argmin())
        missing = height_m - (y[top] - y[bottom])
        slope = (model.shapedirs[top, 1] - model.shapedirs[bottom, 1]).astype(np.float64)
        if slope @ slope < 1e-12:
            break
        # The point nearest to `start` on the plane of shapes with this stature: exact as long
        # as the same vertices stay highest and lowest, hence the repetition.
        betas = start + slope * (missing + slope @ (betas - start)) / (slope @ slope)
        if abs(stature_m(model, betas) - height_m) < 1e-5:
            return betas.astype(np.float32)
    if abs(stature_m(model, betas) - height_m) > 1e-4:
        raise ValueError("the body model's shapes do not reach the height; is it a whole model?")
    return betas.astype(np.float32)


def limb_lengths_m(
    model: BodyModel,
    betas: Float[np.ndarray, " 10"],
    limbs: list[tuple[str, str]],
) -> Float[np.ndarray, " K"]:
    """Distances between pairs of SMPL joints, by name, in the zero pose."""
    return np.linalg.norm(_limb_vectors(model, np.asarray(betas), limbs), axis=1)


def fit_limb_lengths(
    model: BodyModel,
    lengths_m: Mapping[tuple[str, str], float],
    tolerance_m: float = LENGTH_TOLERANCE_M,
    usual_beta: float = USUAL_BETA,
) -> Float[np.ndarray, " 10"]:
    """The shape whose limbs come nearest to asked lengths, such as a robot's.

    `lengths_m` gives lengths by the names of the SMPL joints at a limb's ends. Least squares
    on lengths with a weak prior that keeps betas that the lengths do not determine at 0.

    Raises:
        ValueError: no limb, an unknown joint, or a length that is not positive.
    """
    limbs = list(lengths_m)
    wanted = np.array([lengths_m[limb] for limb in limbs], dtype=np.float64)
    unknown = sorted({name for limb in limbs for name in limb} - set(SMPL24_NAMES))
    if unknown:
        raise ValueError(f"{', '.join(unknown)}: no joint of SMPL; it has {SMPL24_NAMES}")
    if not limbs or not np.all(np.isfinite(wanted)) or np.any(wanted <= 0):
        raise ValueError("limb lengths must be positive metres, at least one")

    def residuals(betas: np.ndarray) -> np.ndarray:
        missing = limb_lengths_m(model, betas, limbs) - wanted
        return np.concatenate([missing / tolerance_m, betas / usual_beta])

    bound = np.full(BETA_COUNT, LARGEST_BETA)
    fit = least_squares(residuals, np.zeros(BETA_COUNT), bounds=(-bound, bound))
    return fit.x.astype(np.float32)


def _limb_vectors(
    model: BodyModel, betas: np.ndarray, limbs: list[tuple[str, str]]
) -> Float[np.ndarray, "K 3"]:
    joints = model.rest_joints(betas)
    ends = np.array([[smpl45_row(a), smpl45_row(b)] for a, b in limbs])
    return joints[ends[:, 1]] - joints[ends[:, 0]]
