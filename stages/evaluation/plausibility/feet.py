"""The person's feet on the mesh."""

import numpy as np
from jaxtyping import Bool, Float

from stages.artifacts.verdicts import SMALL, Measure, Values
from stages.evaluation.plausibility.clip import Clip
from stages.evaluation.plausibility.measured import worst
from stages.robot.terrain import Terrain

SLIDING = Measure(
    "person_sliding_cm_s", "Person's feet slide", "cm/s", SMALL,
    "mean horizontal speed of toes and heels of a foot in contact: the slower of both",
)  # fmt: skip
FLOATING = Measure(
    "person_floating_cm", "Person's feet float", "cm", SMALL,
    "height above the mesh of a foot in contact, by toes or heel, 90th percentile",
)  # fmt: skip
PENETRATION = Measure(
    "person_penetration_cm", "Person's feet sink", "cm", SMALL,
    "depth below the mesh of a foot in contact, by toes or heel, 90th percentile",
)  # fmt: skip
OFF_GROUND = Measure(
    "ground_misfit_cm", "Ground misfit", "cm", SMALL,
    "distance of the nearer foot from the mesh, whatever the contacts say, median",
)  # fmt: skip
MEASURES = (SLIDING, FLOATING, PENETRATION, OFF_GROUND)

SOLE_M = 0.02
"""Toe and heel points of SMPL-45 lie so far above the sole, about."""


def compute(clip: Clip) -> Values:
    """Of the worst of the people."""
    found = [
        of_feet(
            clip.feet(person), clip.contacts[person], clip.times_s(clip.motions[person].frames),
            clip.terrain,
        )
        for person in clip.joints
    ]  # fmt: skip
    return worst(found, MEASURES)


def of_feet(
    feet: Float[np.ndarray, "T 2 2 3"],
    contacts: Bool[np.ndarray, "T 2"],
    times_s: Float[np.ndarray, " T"],
    terrain: Terrain,
) -> dict[str, float]:
    found: dict[str, float] = {}
    both = contacts[1:] & contacts[:-1]
    if both.any():
        moved = np.linalg.norm(np.diff(feet[..., :2], axis=0), axis=-1)
        speed = moved / np.diff(times_s)[:, None, None]
        # A foot that rolls keeps one of its ends where it is.
        found[SLIDING.name] = 100 * float(speed.min(-1)[both].mean())
    if terrain.empty:
        return found
    above = heights_above(feet, terrain) - SOLE_M
    lower = _nearer_to_ground(above)
    touching = lower[contacts & np.isfinite(lower)]
    if len(touching):
        found[FLOATING.name] = 100 * float(np.percentile(np.maximum(touching, 0), 90))
        found[PENETRATION.name] = 100 * float(np.percentile(np.maximum(-touching, 0), 90))
    lowest = _nearer_to_ground(lower)
    if np.isfinite(lowest).any():
        found[OFF_GROUND.name] = 100 * abs(float(np.median(lowest[np.isfinite(lowest)])))
    return found


def _nearer_to_ground(above: Float[np.ndarray, "*B N"]) -> Float[np.ndarray, "*B"]:
    """Of several heights the one nearest to 0: a heel may be below the edge of a seat."""
    known = np.where(np.isnan(above), np.inf, above)
    nearest = np.abs(known).argmin(-1)[..., None]
    return np.take_along_axis(known, nearest, -1)[..., 0]


def heights_above(points: Float[np.ndarray, "*B 3"], terrain: Terrain) -> Float[np.ndarray, "*B"]:
    """Of the surface that a foot stands on or has sunk below; NaN without any."""
    flat = points.reshape(-1, 3)
    surface = terrain.surface_at(flat)
    return (flat[:, 2] - surface).reshape(points.shape[:-1])
