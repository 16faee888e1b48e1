"""The height field under somebody's path: what is over them is not what they walk on."""

import numpy as np
from jaxtyping import Float
from scipy import ndimage

from stages.body.joint_names import smpl45_row
from stages.robot.terrain import HeightField, Terrain, with_heights

# The height field reaches this far beyond the person's path, m.
REACH_M = 0.7
ABOVE_M = 0.2
"""Over the highest joint no surface is looked for."""
NEAR_M = 0.5
"""A surface above the hips of whoever is no farther away is nothing that they stand on."""
UNDER_M = 0.3
"""It is over a trunk that was this near."""
_TRUNK = [smpl45_row(name) for name in ("pelvis", "spine_3", "neck", "head")]


def ground_under(joints: Float[np.ndarray, "T 45 3"], terrain: Terrain) -> HeightField:
    """Heights of what carries somebody on their path, from above.

    Lintels, beams and landings that they pass under are left out: what is above their hips whenever
    they are near, and over their trunk, or has an underside. Other surfaces that are as high are
    tops of walls and boxes, which robots must not enter.

    Args:
        joints: SMPL-45 in the terrain's world (z up, m).
    """
    points = joints.reshape(-1, 3).astype(float)
    low, high = points[:, :2].min(axis=0) - REACH_M, points[:, :2].max(axis=0) + REACH_M
    field = terrain.height_field(low, high, float(points[:, 2].max()) + ABOVE_M)
    hips = _highest_near(field, joints[:, 0], NEAR_M)
    over = (field.known > 0) & (field.heights > hips) & np.isfinite(hips)
    if not over.any():
        return field
    trunk = np.isfinite(_highest_near(field, joints[:, _TRUNK].reshape(-1, 3), UNDER_M))
    i, j = np.nonzero(over)
    places = np.column_stack([field.origin + field.cell * np.column_stack([i, j]), hips[over]])
    overhang = trunk[over] | terrain.underside_above(places)
    heights = np.where(field.known > 0, field.heights, np.nan)
    heights[i[overhang], j[overhang]] = terrain.surface_below(places[overhang])
    return with_heights(field, heights)


def _highest_near(
    field: HeightField, points: Float[np.ndarray, "N 3"], reach_m: float
) -> Float[np.ndarray, "G G"]:
    """In each cell the height of the highest point within reach, beside or across; -inf without."""
    highest = np.full(field.heights.shape, -np.inf)
    cells = np.rint((points[:, :2] - field.origin) / field.cell).astype(int)
    np.maximum.at(highest, tuple(cells.T), points[:, 2])
    return ndimage.maximum_filter(highest, size=2 * int(np.ceil(reach_m / field.cell)) + 1)
