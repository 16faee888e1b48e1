"""Parts of the skin that touch the world: soles, hands, knees, seat."""

import numpy as np
from jaxtyping import Float, Int

from stages.body.joint_names import SMPL24_NAMES
from stages.body.model import BodyModel

SOLE_BAND_M = 0.01
KNEE_REACH_M = 0.09
SEAT_REACH_M = 0.12
Vertices = Int[np.ndarray, " N"]


def sole_parts(skin: Float[np.ndarray, "V 3"], foot: Vertices) -> tuple[Vertices, Vertices]:
    """Vertices under the ball of the foot and under the heel: the lowest of each half."""
    z = skin[foot, 2]
    middle = 0.5 * (z.min() + z.max())
    parts = []
    for half in (foot[z >= middle], foot[z < middle]):
        heights = skin[half, 1]
        parts.append(half[heights < heights.min() + SOLE_BAND_M])
    return parts[0], parts[1]


def hand(model: BodyModel, side: str) -> Vertices:
    """All that moves with a wrist."""
    return np.flatnonzero(_weight(model, f"{side}_wrist", f"{side}_hand") > 0.5)


def knee(model: BodyModel, side: str) -> Vertices:
    """The front of a knee."""
    away = model.v_template - model.joint_template[SMPL24_NAMES.index(f"{side}_knee")]
    return np.flatnonzero((np.linalg.norm(away, axis=1) < KNEE_REACH_M) & (away[:, 2] > 0))


def seat(model: BodyModel) -> Vertices:
    """The back of hips and upper thighs."""
    hips = [SMPL24_NAMES.index(f"{side}_hip") for side in ("left", "right")]
    away = model.v_template - model.joint_template[hips].mean(axis=0)
    of_hips = _weight(model, "pelvis", "left_hip", "right_hip") > 0.5
    return np.flatnonzero(of_hips & (away[:, 2] < 0) & (np.abs(away[:, 1]) < SEAT_REACH_M))


def _weight(model: BodyModel, *joints: str) -> Float[np.ndarray, " V"]:
    return model.weights[:, [SMPL24_NAMES.index(joint) for joint in joints]].sum(axis=1)
