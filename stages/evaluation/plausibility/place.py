"""Cameras, depth, gravity and ground of stages 1 to 3."""

import numpy as np
from jaxtyping import Float

from stages.artifacts.verdicts import LARGE, SMALL, Measure, Values
from stages.artifacts.world import WorldFrameView, opened_world
from stages.drawing.panels import evenly_spread
from stages.evaluation.plausibility.clip import Clip
from stages.running import ledger

PARALLAX = Measure(
    "camera_parallax_deg", "Camera parallax", "deg", LARGE,
    "angle between the outermost cameras as the place sees them; 0 where the camera stands",
)  # fmt: skip
DEPTH = Measure(
    "depth_disagreement", "Depth disagreement", "share", SMALL,
    "median difference between a frame's depth and another's seen from it, over the depth",
)  # fmt: skip
GRAVITY = Measure(
    "gravity_spread_deg", "Gravity spread", "deg", SMALL,
    "how far the witnesses of what is up differ, as stage 3 noted it",
)  # fmt: skip
FLOOR_TILT = Measure(
    "floor_tilt_deg", "Floor tilt", "deg", SMALL,
    "median tilt of the mesh below the feet that touch it",
)  # fmt: skip
MEASURES = (PARALLAX, DEPTH, GRAVITY, FLOOR_TILT)

PAIRS = 6
CONFIDENT = 0.5
FOOTPRINT_M = 0.06


def cameras(clip: Clip) -> Values:
    """Parallax and how depth agrees between frames, of the world file."""
    with opened_world(clip.world_file) as (world, _):
        centres = world.Ts_world_camera[:, :3, 3].astype(np.float64)
        middle = world[world.names[len(world) // 2]]
        known = (middle.confidence >= CONFIDENT) & (middle.depth > 0)
        depth = float(np.median(middle.depth[known])) if known.any() else np.nan
        spread = np.linalg.norm(centres[:, None] - centres[None], axis=-1).max()
        gap = max(1, len(world) // (2 * PAIRS))
        last = max(0, len(world) - 1 - gap)
        pairs = [
            (start, min(start + gap, len(world) - 1)) for start in evenly_spread(last + 1, PAIRS)
        ]
        errors = [_disagreement(world[world.names[a]], world[world.names[b]]) for a, b in pairs]
    kept = [error for error in errors if np.isfinite(error)]
    return {
        PARALLAX.name: float(np.degrees(2 * np.arctan(spread / 2 / depth))),
        DEPTH.name: float(np.median(kept)) if kept else None,
    }


def _disagreement(one: WorldFrameView, other: WorldFrameView) -> float:
    """Median relative difference of `one`'s points' depth in `other` from `other`'s."""
    use = (one.confidence >= CONFIDENT) & one.measured & (one.depth > 0) & ~one.dynamic
    points = one.points[use][::97].astype(np.float64)
    T = other.T_world_camera.astype(np.float64)
    local = (points - T[:3, 3]) @ T[:3, :3]
    local = local[local[:, 2] > 1e-6]
    pixels = (local / local[:, 2:]) @ other.intrinsic.astype(np.float64).T
    column, row = np.rint(pixels[:, :2]).astype(int).T
    height, width = other.size
    inside = (row >= 0) & (row < height) & (column >= 0) & (column < width)
    row, column, expected = row[inside], column[inside], local[inside, 2]
    there = (other.confidence >= CONFIDENT) & other.measured & ~other.dynamic & (other.depth > 0)
    there = there[row, column]
    given = other.depth[row, column][there]
    if len(given) < 50:
        return np.nan
    return float(np.median(np.abs(given - expected[there]) / expected[there]))


def gravity(clip: Clip) -> Values:
    """Witnesses of what is up: those that stage 3 noted, and the ground below the feet."""
    found: Values = {}
    noted = [
        entry["details"]["gravity_spread_deg"]
        for entry in ledger.read(clip.data.root)
        if entry.get("video") == clip.video and "gravity_spread_deg" in (entry.get("details") or {})
    ]
    if noted:
        found[GRAVITY.name] = float(noted[-1])
    if not clip.is_levelled:
        return found
    soles = [clip.feet(person).mean(2)[clip.contacts[person]] for person in clip.joints]
    tilts = _tilts_below(clip, np.concatenate(soles)) if soles else np.zeros(0)
    tilts = tilts[np.isfinite(tilts)]
    if len(tilts):
        found[FLOOR_TILT.name] = float(np.median(tilts))
    return found


def _tilts_below(clip: Clip, places: Float[np.ndarray, "N 3"]) -> Float[np.ndarray, " N"]:
    """Tilt of the mesh over a footprint, by its height at four places around each point."""
    steps = FOOTPRINT_M * np.array([[1, 0, 0], [-1, 0, 0], [0, 1, 0], [0, -1, 0.0]])
    around = (places[:, None] + steps).reshape(-1, 3)
    z = clip.terrain.surface_at(around, 0.1).reshape(-1, 4)
    slope = np.hypot(z[:, 0] - z[:, 1], z[:, 2] - z[:, 3]) / (2 * FOOTPRINT_M)
    return np.degrees(np.arctan(slope))
