"""What the motions need of a body: rest joints and the soles of its feet, for a given shape."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Float
from scipy.optimize import linprog

from stages.body.joint_names import smpl45_row
from stages.body.model import BodyModel

HIP, KNEE, ANKLE, TOE = (  # (left, right) joints
    (smpl45_row(f"left_{name}"), smpl45_row(f"right_{name}"))
    for name in ("hip", "knee", "ankle", "foot")
)
MOVED_BY_FOOT = 0.5  # a vertex belongs to the foot when ankle and toe joint move it this much
SOLE_BAND_M = 0.03  # and to the sole when it lies this close above the lowest one


@dataclass(frozen=True)
class RestFoot:
    """One foot at rest, levelled: axes as the body's (y up, z forward), origin at the ankle joint.

    `R_level` takes rest axes to these axes, in which the plane that the foot stands on is
    horizontal at y = -ankle_height_m. `rear_m` are points of the sole that turn with the ankle,
    `toes_m` those that turn with the toe joint at `toe_joint_m`.
    """

    R_level: Float[np.ndarray, "3 3"]
    ankle_height_m: float
    toe_joint_m: Float[np.ndarray, " 3"]
    rear_m: Float[np.ndarray, "n 3"]
    toes_m: Float[np.ndarray, "k 3"]

    @cached_property
    def heel_m(self) -> Float[np.ndarray, " 3"]:
        """Where the foot rolls over its heel: the end of the sole, on the plane it stands on."""
        low = self.rear_m[self.rear_m[:, 1] < -self.ankle_height_m + 0.02]
        return np.array([0.0, -self.ankle_height_m, low[:, 2].min()])

    @cached_property
    def toe_length_m(self) -> float:
        """From the ankle forward to the tip of the toes."""
        return float(max(self.toes_m[:, 2].max(), self.rear_m[:, 2].max()))

    @cached_property
    def heel_length_m(self) -> float:
        """From the ankle back to the end of the heel."""
        return float(-self.rear_m[:, 2].min())


@dataclass(frozen=True)
class RestBody:
    """Rest joints (metres, SMPL axes: x left, y up, z forward) and both feet of one shape."""

    betas: Float[np.ndarray, " 10"]
    joints_m: Float[np.ndarray, "24 3"]
    feet: tuple[RestFoot, RestFoot]

    @cached_property
    def leg_length_m(self) -> float:
        """Thigh and shin, mean of both legs."""
        joints = self.joints_m
        lengths = [
            np.linalg.norm(joints[KNEE[i]] - joints[HIP[i]])
            + np.linalg.norm(joints[ANKLE[i]] - joints[KNEE[i]])
            for i in (0, 1)
        ]
        return float(np.mean(lengths))


class ShapedBody:
    """Rest joints and soles as linear functions of betas, read once from a body model."""

    def __init__(self, body: BodyModel) -> None:
        template = np.asarray(body.v_template, np.float64)
        dirs = np.asarray(body.shapedirs, np.float64)[:, :, :10]
        regressor = np.asarray(body.J_regressor, np.float64)
        weights = np.asarray(body.weights)
        self._joints = regressor @ template
        self._joint_dirs = np.einsum("jv,vck->jck", regressor, dirs, optimize=True)
        self._soles = []
        for side in (0, 1):
            moved = weights[:, ANKLE[side]] + weights[:, TOE[side]] > MOVED_BY_FOOT
            foot = np.flatnonzero(moved)
            low = foot[template[foot, 1] < template[foot, 1].min() + SOLE_BAND_M]
            outline = low[_extremes(template[low])]
            toes = weights[outline, TOE[side]] > MOVED_BY_FOOT
            self._soles.append((template[outline], dirs[outline], toes))

    def rest(self, betas: Float[np.ndarray, " 10"]) -> RestBody:
        betas = np.asarray(betas, np.float64)
        joints = self._joints + self._joint_dirs @ betas
        feet = [
            level_foot(joints[ANKLE[side]], joints[TOE[side]], points + dirs @ betas, toes)
            for side, (points, dirs, toes) in enumerate(self._soles)
        ]
        return RestBody(betas, joints, (feet[0], feet[1]))


def _extremes(points: Float[np.ndarray, "n 3"]) -> np.ndarray:
    """Indices of the points farthest outward and downward in every direction."""
    turns = np.linspace(0.0, 2 * np.pi, 16, endpoint=False)
    slopes = np.deg2rad([20.0, 50.0, 80.0])[:, None]
    directions = np.stack(
        [
            np.cos(slopes) * np.cos(turns),
            -np.sin(slopes) + 0 * turns,
            np.cos(slopes) * np.sin(turns),
        ]
    ).reshape(3, -1)
    # The ball is outermost in no direction but bears: half the weight on length finds it too.
    squeezed = points * [1.0, 1.0, 0.2]
    return np.unique([(p @ directions).argmax(0) for p in (points, squeezed)])


def level_foot(
    ankle_m: Float[np.ndarray, " 3"],
    toe_joint_m: Float[np.ndarray, " 3"],
    sole_m: Float[np.ndarray, "n 3"],
    is_toe: np.ndarray,
) -> RestFoot:
    """A foot turned so that the plane under which no point of the sole lies is horizontal."""
    points = sole_m - ankle_m
    R = _level_rotation(points)
    points = points @ R.T
    return RestFoot(
        R_level=R,
        ankle_height_m=float(-points[:, 1].min()),
        toe_joint_m=R @ (toe_joint_m - ankle_m),
        rear_m=points[~is_toe],
        toes_m=points[is_toe],
    )


def _level_rotation(points: Float[np.ndarray, "n 3"]) -> Float[np.ndarray, "3 3"]:
    """The plane y = a + b x + c z under all points that is highest under the middle of the foot.

    That is the facet the foot stands on when its load is there: a linear program.
    """
    middle = points[:, [0, 2]].mean(0)
    ones = np.ones(len(points))
    best = linprog(
        -np.array([1.0, *middle]),
        A_ub=np.column_stack([ones, points[:, 0], points[:, 2]]),
        b_ub=points[:, 1],
        bounds=[(None, None)] * 3,
        method="highs",
    )
    up = np.array([-best.x[1], 1.0, -best.x[2]])
    up /= np.linalg.norm(up)
    forward = np.array([0.0, 0.0, 1.0])
    forward = forward - (forward @ up) * up
    forward /= np.linalg.norm(forward)
    return np.stack([np.cross(up, forward), up, forward])
