"""Where people are carried by other parts than their feet: hands, knees, a back, a seat."""

import numpy as np
from jaxtyping import Bool, Float
from scipy.ndimage import gaussian_filter1d

from stages.body.joint_names import smpl45_row
from stages.robot.terrain import Terrain
from stages.stage4_retarget.contacts import shins_up
from stages.stage4_retarget.foot_targets import TOES, FootTargets

CARRIED_M = 0.12
"""A joint no farther than this from the surface lies on it: it is within the body, that deep."""
BESIDE_M = 0.06
"""Joints this little above the lowest one carry too."""
FADE_S = 0.1
"""Standard deviation in time of how the feet's targets go over."""
_FEET = [
    smpl45_row(f"{side}_{part}")
    for side in ("left", "right")
    for part in ("ankle", "foot", "big_toe", "small_toe", "heel")
]


def carried(
    joints: Float[np.ndarray, "T 45 3"], terrain: Terrain
) -> tuple[Bool[np.ndarray, " T"], Float[np.ndarray, "T 3"]]:
    """Frames in which the surface carries somebody by whichever part, and the middle of what lies
    on it, at the surface's height (world, m)."""
    z = joints[..., 2].astype(float)
    beside = z <= z.min(axis=1, keepdims=True) + BESIDE_M
    middle = (joints * beside[..., None]).sum(axis=1) / beside.sum(axis=1, keepdims=True)
    middle[:, 2] = z.min(axis=1)
    surface = terrain.surface_at(middle)
    on_it = np.abs(middle[:, 2] - surface) <= CARRIED_M
    return on_it, np.column_stack([middle[:, :2], np.where(on_it, surface, middle[:, 2])])


def carried_otherwise(
    joints: Float[np.ndarray, "T 45 3"], contact: Bool[np.ndarray, "T 2"], terrain: Terrain
) -> Bool[np.ndarray, " T"]:
    """Frames in which the surface carries somebody by other parts than the feet."""
    lowest_is_foot = np.isin(joints[..., 2].argmin(axis=1), _FEET)
    on_feet = lowest_is_foot & shins_up(joints).any(axis=1) | contact.any(axis=1)
    return carried(joints, terrain)[0] & ~on_feet


def about_support(
    feet: FootTargets,
    joints: Float[np.ndarray, "T 45 3"],
    times_s: Float[np.ndarray, " T"],
    terrain: Terrain,
    scale: float,
) -> FootTargets:
    """Feet's targets at the robot's size about what carries, where that is no foot.

    Feet that touch nothing would hold a smaller robot as high as the person's are.

    Args:
        scale: the robot's size over the person's.
    """
    share = carried_otherwise(joints, feet.contact, terrain)
    _, place = carried(joints, terrain)
    away = joints[:, TOES].astype(float) - place[:, None]
    # Feet that lie on the surface themselves stay at its height.
    away[..., 2] = np.maximum(away[..., 2] - CARRIED_M, 0.0)
    moved = faded((scale - 1) * away * share[:, None, None], times_s)
    return feet._replace(position=feet.position + moved * ~feet.contact[..., None])


def faded(values: Float[np.ndarray, " T *k"], times_s: Float[np.ndarray, " T"]) -> np.ndarray:
    """The values, whose steps in time are made smooth."""
    if len(times_s) < 2:
        return values
    return gaussian_filter1d(
        values, FADE_S / float(np.median(np.diff(times_s))), axis=0, mode="nearest"
    )


def heights_m(bottoms: Float[np.ndarray, "T N 3"], terrain: Terrain) -> Float[np.ndarray, " T"]:
    """How high the lowest of some points is above the surface; infinite without any below."""
    raised = bottoms + np.array([0.0, 0.0, CARRIED_M])
    surface = terrain.surface_below(raised.reshape(-1, 3)).reshape(bottoms.shape[:2])
    return np.where(np.isnan(surface), np.inf, bottoms[..., 2] - surface).min(axis=1)
