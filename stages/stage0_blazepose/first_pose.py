"""Joint rotations from places of the joints, in closed form: a start for the fit.

Bones point where they are seen to point. What this leaves open, the twist of upper arms and thighs,
comes from the plane in which elbow or knee are bent, the more they are bent.
"""

from itertools import pairwise

import numpy as np
from jaxtyping import Float

from stages.body.joint_names import SMPL24_NAMES
from stages.body.skeleton import Skeleton
from stages.geometry.rotations import matrix_from_rotvec, rotvec_from_matrix
from stages.stage0_blazepose.correspondence import row

Vectors = Float[np.ndarray, "T 3"]
Matrices = Float[np.ndarray, "T 3 3"]
BENT = 0.35
"""Sine of the bend from which a hinge's plane is taken as seen."""
HINGES = {
    "left_knee": (1.0, 0.0, 0.0),
    "right_knee": (1.0, 0.0, 0.0),
    "left_elbow": (0.0, -1.0, 0.0),
    "right_elbow": (0.0, 1.0, 0.0),
}
"""Axes in the zero pose about which a positive turn bends, SMPL's model axes."""


def joint(name: str) -> int:
    return SMPL24_NAMES.index(name)


def first_pose(
    points_m: Float[np.ndarray, "T P 3"], skeleton: Skeleton
) -> Float[np.ndarray, "T 24 3 3"]:
    """Local rotations, the first to the axes of the points, in which x is right and y is down."""

    def at(name: str) -> Vectors:
        return points_m[:, row(name)]

    def rest(name: str) -> Float[np.ndarray, "3"]:
        return skeleton.points[row(name)]

    local = np.tile(np.eye(3), (len(points_m), 24, 1, 1))
    up = at("left_shoulder") + at("right_shoulder") - at("left_hip") - at("right_hip")
    pelvis = _frame(at("left_hip") - at("right_hip"), up)
    chest = _frame(at("left_shoulder") - at("right_shoulder"), up)
    ears = (at("left_ear") + at("right_ear")) / 2
    across = at("left_ear") - at("right_ear")
    head = _frame(across, np.cross(at("nose") - ears, across))
    local[:, joint("pelvis")] = pelvis
    _share(local, ("spine_1", "spine_2", "spine_3"), _t(pelvis) @ chest)
    _share(local, ("neck", "head"), _t(chest) @ head)
    for side in ("left", "right"):
        for start, hinge, end, tip, parent in (
            ("shoulder", "elbow", "wrist", ("wrist", "hand"), chest),
            ("hip", "knee", "ankle", ("heel", "big_toe"), pelvis),
        ):
            names = [f"{side}_{name}" for name in (start, hinge, end)]
            bones = [at(b) - at(a) for a, b in pairwise(names)]
            rests = [rest(b) - rest(a) for a, b in pairwise(names)]
            upper, lower = _limb(parent, bones, rests, np.array(HINGES[names[1]]))
            a, b = (f"{side}_{name}" for name in tip)
            swing = _swing(_in(lower, at(b) - at(a)), rest(b) - rest(a))
            local[:, joint(names[0])] = _t(parent) @ upper
            local[:, joint(names[1])] = _t(upper) @ lower
            local[:, joint(names[2])] = swing
    return local


def _limb(
    parent: Matrices, bones: list[Vectors], rests: list[np.ndarray], hinge: Float[np.ndarray, "3"]
) -> tuple[Matrices, Matrices]:
    """Rotations of the upper and the lower part of a limb, from its bones and those at rest."""
    upper, lower = (_unit(bone) for bone in bones)
    swung = parent @ _swing(_in(parent, upper), rests[0])
    bend = np.cross(upper, lower)
    seen = np.clip(np.linalg.norm(bend, axis=-1, keepdims=True) / BENT, 0, 1)
    axis = seen * _unit(bend) + (1 - seen) * (swung @ hinge)
    R_upper = _frame(axis, upper) @ _frame(hinge[None], rests[0][None]).swapaxes(-1, -2)
    R_lower = R_upper @ _swing(_in(R_upper, lower), rests[1])
    return R_upper, R_lower


def _frame(x: Vectors, y: Vectors) -> Matrices:
    """Axes of which the second is along y, the first as near to x as can be."""
    y = _unit(y)
    x = _unit(x - (x * y).sum(-1, keepdims=True) * y)
    return np.stack([x, y, np.cross(x, y)], axis=-1)


def _swing(target: Vectors, source: Float[np.ndarray, "3"]) -> Matrices:
    """The least rotations that take one direction to others."""
    target, source = _unit(target), np.broadcast_to(_unit(source), target.shape)
    axis = np.cross(source, target)
    angle = np.arctan2(np.linalg.norm(axis, axis=-1), (source * target).sum(-1))
    return matrix_from_rotvec(angle[:, None] * _unit(axis))


def _share(local: np.ndarray, names: tuple[str, ...], R: Matrices) -> None:
    """Has joints one after the other each do its share of a rotation."""
    part = matrix_from_rotvec(rotvec_from_matrix(R) / len(names))
    for name in names:
        local[:, joint(name)] = part


def _in(R: Matrices, v: Vectors) -> Vectors:
    return np.einsum("tba,tb->ta", R, v)


def _t(R: Matrices) -> Matrices:
    return np.swapaxes(R, -1, -2)


def _unit(v: np.ndarray) -> np.ndarray:
    return v / np.maximum(np.linalg.norm(v, axis=-1, keepdims=True), 1e-9)
