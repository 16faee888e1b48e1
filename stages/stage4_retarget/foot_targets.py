"""Where the robot's feet are to be: on one spot in each contact, led over in swing.

During a contact the target is one fixed point on the ground: the median place of the person's
toe-base joint, at the exact height of the surface there. In swing it follows the person's foot,
shifted by a correction that goes linearly from one contact's to the next, so that targets are
continuous and a foot that floats or sinks in the estimate takes off and lands on the ground.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float

from stages.geometry.intervals import runs_of_true
from stages.robot.terrain import Terrain
from stages.stage4_retarget.contacts import FAR_M, clearance_m

TOES = (10, 11)  # SMPL-45: toe-base joints
HEELS = (31, 34)
# A ground that is this much steeper under a foot than the foot itself, from heel to toe, m, is an
# edge or a flaw of the mesh: the foot lies flat then.
EDGE_M = 0.02


class FootTargets(NamedTuple):
    """Targets of the robot's front sole points (world, m), left and right."""

    position: Float[np.ndarray, "T 2 3"]
    contact: Bool[np.ndarray, "T 2"]
    ground_z: Float[np.ndarray, "T 2 2"]
    """Height that toes and heel must have in contact, NaN in swing or without ground."""


def surface_under(terrain: Terrain, points: Float[np.ndarray, "T 2 3"]) -> Float[np.ndarray, "T 2"]:
    """Height of the surface that each foot point belongs to (m), NaN where there is none."""
    return terrain.surface_at(points.reshape(-1, 3)).reshape(points.shape[:2])


def foot_targets(
    joints: Float[np.ndarray, "T 45 3"],
    contact: Bool[np.ndarray, "T 2"],
    terrain: Terrain,
) -> FootTargets:
    """Targets for both feet. `joints` in the world of the terrain (z up, m)."""
    toes, heels = joints[:, TOES, :].astype(float), joints[:, HEELS, :].astype(float)
    toe_ground, heel_ground = surface_under(terrain, toes), surface_under(terrain, heels)
    clearance = clearance_m(toes[..., 2] - toe_ground, contact)
    position, ground_z = toes.copy(), np.full((*contact.shape, 2), np.nan)
    for foot in range(2):
        shifts: list[tuple[int, int, np.ndarray]] = []
        for start, end in runs_of_true(contact[:, foot]):
            rows = slice(start, end)
            spot = np.median(toes[rows, foot], axis=0)
            level = _levels(
                toe_ground[rows, foot],
                heel_ground[rows, foot],
                toes[rows, foot, 2] - clearance,
                heels[rows, foot, 2] - clearance,
            )
            spot[2] = level[0] if np.isfinite(level[0]) else spot[2] - clearance
            position[rows, foot] = spot
            ground_z[rows, foot] = level
            shifts.append((start, end, spot - toes[rows, foot][[0, -1]]))
        _shift_swing(position[:, foot], contact[:, foot], shifts, clearance)
    return FootTargets(position, contact, ground_z)


def flat_without_ground(feet: FootTargets) -> Float[np.ndarray, "T 2 2"]:
    """`ground_z`, where feet in contact have none the height of their target: they lie flat."""
    level = np.broadcast_to(feet.position[..., 2:], feet.ground_z.shape)
    nothing = feet.contact[..., None] & np.isnan(feet.ground_z)
    return np.where(nothing, level, feet.ground_z)


def _levels(
    toe_ground: np.ndarray, heel_ground: np.ndarray, toe_z: np.ndarray, heel_z: np.ndarray
) -> tuple[float, float]:
    """Heights of the ground at toes and heel over a contact (m), NaN where the mesh has none."""
    toe = _near(np.median(toe_z), _median(toe_ground))
    heel = _near(np.median(heel_z), _median(heel_ground))
    if not np.isfinite(toe) or not np.isfinite(heel):
        one = toe if np.isfinite(toe) else heel
        return one, one
    toe_off, heel_off = np.median(toe_z) - toe, np.median(heel_z) - heel
    if abs(toe_off - heel_off) <= EDGE_M:
        return toe, heel
    one = toe if abs(toe_off) <= abs(heel_off) else heel
    return one, one


def _near(height: float, ground: float) -> float:
    """The ground, NaN if it is farther below than people and meshes disagree."""
    return ground if height - ground <= FAR_M else float("nan")


def _median(values: np.ndarray) -> float:
    finite = values[np.isfinite(values)]
    return float(np.median(finite)) if len(finite) else float("nan")


def _shift_swing(
    position: np.ndarray,
    contact: np.ndarray,
    shifts: list[tuple[int, int, np.ndarray]],
    clearance: float,
) -> None:
    """Shift the frames in swing by what the contacts around them were shifted by, in place."""
    swing = np.flatnonzero(~contact)
    if not shifts:
        position[swing, 2] -= clearance
        return
    frames = [row for start, end, _ in shifts for row in (start, end - 1)]
    values = np.concatenate([ends for _, _, ends in shifts])
    for axis in range(3):
        position[swing, axis] += np.interp(swing, frames, values[:, axis])
