"""Which points of the body BlazePose's points are."""

import numpy as np
from jaxtyping import Int

from stages.body.joint_names import SMPL24_NAMES, SMPL45_NAMES
from stages.body.model import JOINT_COUNT, BodyModel
from stages.body.skeleton import BesideJoint, Point

Vertices = Int[np.ndarray, " N"]

_SIDED = {
    "shoulder": (11,),
    "elbow": (13,),
    "wrist": (15,),
    "hand": (17, 19),
    "hip": (23,),
    "knee": (25,),
    "ankle": (27,),
    "heel": (29,),
    "big_toe": (31,),
    "ear": (7,),
}
"""BlazePose's numbers on the left, of which the mean is meant; on the right each is one more."""

NAMES = ("nose", *(f"{side}_{name}" for name in _SIDED for side in ("left", "right")))
"""The points that are fitted, by their names in SMPL-45."""
_SOURCES = (
    (0,),
    *(tuple(p + side for p in points) for points in _SIDED.values() for side in (0, 1)),
)


ABOVE_HIP_M, ABOVE_ANKLE_M = 0.015, 0.04
"""BlazePose's hips and ankles are above SMPL's. Over the thigh, its torso measures 1.16 to 1.18 and
its shin 0.91 to 0.97, of real people as of rendered ones; SMPL's 1.28 and 1.09."""
HEEL_M, BEHIND_TIP_M = 0.06, 0.035
"""Its heel is where the tendon meets it, so high above the sole, and its toe so far behind the tip,
as by eye in pictures of real people."""
BAND_M = 0.012


def row(name: str) -> int:
    """Where a named point is among those that are fitted."""
    return NAMES.index(name)


def fitted(values: np.ndarray) -> np.ndarray:
    """Values of BlazePose's 33 points (T, 33, ...) at the points that are fitted."""
    return np.stack([values[:, list(points)].mean(axis=1) for points in _SOURCES], axis=1)


def points_on(model: BodyModel) -> list[Point]:
    """Where on the body BlazePose sees each point that is fitted."""
    own: dict[str, Point] = {}
    for side, foot in (("left", model.left_foot_vertices), ("right", model.right_foot_vertices)):
        hip, knee, ankle = (SMPL24_NAMES.index(f"{side}_{n}") for n in ("hip", "knee", "ankle"))
        heel, toe = _points_of_foot(model, foot)
        own |= {
            f"{side}_hip": BesideJoint(hip, SMPL24_NAMES.index("pelvis"), (0, ABOVE_HIP_M, 0)),
            f"{side}_ankle": BesideJoint(ankle, knee, (0, ABOVE_ANKLE_M, 0)),
            f"{side}_heel": heel,
            f"{side}_big_toe": toe,
        }
    return [own.get(name, point) for name, point in zip(NAMES, smpl_points_on(model), strict=True)]


def smpl_points_on(model: BodyModel) -> list[Point]:
    """The joint, or the vertex, of SMPL-45 by the names of the points that are fitted."""
    rows = [SMPL45_NAMES.index(name) for name in NAMES]
    return [r if r < JOINT_COUNT else model.extra_vertices[r - JOINT_COUNT, None] for r in rows]


def _points_of_foot(model: BodyModel, foot: Vertices) -> tuple[Vertices, Vertices]:
    """The heel's and the big toe's."""
    skin, height = model.v_template, model.v_template[:, 1]
    at_height = foot[np.abs(height[foot] - height[foot].min() - HEEL_M) < BAND_M]
    hindmost = at_height[skin[at_height, 2] < skin[at_height, 2].min() + BAND_M]
    toe = skin[foot[skin[foot, 2].argmax()]] - [0, 0, BEHIND_TIP_M]
    return hindmost, foot[np.linalg.norm(skin[foot] - toe, axis=1) < 2 * BAND_M]
