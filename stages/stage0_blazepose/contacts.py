"""What of a person touches the world: what stays where it is while the background says so.

Speeds are those of points in the picture against the ground around the feet, in metres at the
person's distance. A foot that is held still in the air is taken for one in contact.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Float32
from scipy.ndimage import binary_propagation

from stages.body import surface_parts
from stages.body.joint_names import SMPL24_NAMES
from stages.body.model import BodyModel
from stages.geometry.intervals import frames_within, runs_of_true
from stages.geometry.rotations import angle_between
from stages.stage0_blazepose.background import Tracks, motion_at
from stages.stage0_blazepose.body_fit import FittedBody
from stages.stage0_blazepose.correspondence import row
from stages.stage0_blazepose.observations import Observations

REACH_S = 0.1
"""Speeds are means over the time so near: points in the picture are noisy."""
STILL_M_S, SLOW_M_S = 0.25, 0.4
"""Feet and knees in contact stand still at some time, and are so for as long as they are no faster
than slow; hands are only while they stand still."""
AT_REST_M_S = 0.125
"""Of the middle of the hips. Whoever has sat down shifts about on the seat for a second, at 0.15
m/s, and again before getting up."""
MOVING_M_S = 0.3
"""Of the shoulders: hands that then stand still hold on to something."""
SITTING_RAD = np.radians(50)
"""Hips and knees of somebody who sits are bent by more."""
HELD_S = 0.3
"""Hands, knees and seat touch for at least so long."""
LOW_M = 0.2
"""A knee on the ground is no higher than the ankle by more, and lower than the hip by as much."""
OWN_LEG_M = 0.2
"""A wrist so near to the line from a hip to a knee, in the picture, rests on the leg."""
GROUNDED = [row(f"{side}_{part}") for side in ("left", "right") for part in ("heel", "big_toe")]
SIDES = ("left", "right")
ALONG_TIME = np.array([[0, 1, 0]] * 3, bool)


class Contacts(NamedTuple):
    """What touches in each frame; left, then right. Heels and toes only of feet in contact."""

    feet: Bool[np.ndarray, "T 2"]
    heels: Bool[np.ndarray, "T 2"]
    toes: Bool[np.ndarray, "T 2"]
    knees: Bool[np.ndarray, "T 2"]
    hands: Bool[np.ndarray, "T 2"]
    seat: Bool[np.ndarray, " T"]


def contacts_of(
    seen: Observations,
    points_px: Float[np.ndarray, "T P 2"],
    body: FittedBody,
    m_per_px: Float[np.ndarray, " T"],
    ahead: list[Tracks | None],
) -> Contacts:
    """Contacts of one person.

    Args:
        points_px: in the picture.
        m_per_px: at the person's distance.
        ahead: the background from each frame to the person's next one; None where that is not the
            next picture.
    """
    velocities = _velocities(points_px, m_per_px, ahead, seen.times_s)

    def speed(*names: str) -> Float[np.ndarray, "T 2"]:
        rows = [[row(f"{side}_{name}") for name in names] for side in SIDES]
        return np.linalg.norm(velocities[:, rows], axis=-1).mean(axis=-1)

    feet = _still(speed("ankle", "heel"))
    # Never merely slow: whoever lowers themselves onto a seat, or gets up from it, is not on it.
    hips = velocities[:, [row(f"{side}_hip") for side in SIDES]].mean(axis=1, keepdims=True)
    at_rest = np.linalg.norm(hips, axis=-1) < AT_REST_M_S
    leaning = speed("shoulder").mean(axis=1) > MOVING_M_S
    return Contacts(
        feet=feet,
        heels=feet & (speed("heel") < SLOW_M_S),
        toes=feet & (speed("big_toe") < SLOW_M_S),
        knees=_held(_still(speed("knee")) & _kneeling(points_px, m_per_px), seen.times_s),
        hands=_held(
            (speed("wrist") < STILL_M_S) & leaning[:, None] & ~_on_own_leg(points_px, m_per_px),
            seen.times_s,
        ),
        seat=_held(at_rest & _sitting(body), seen.times_s)[:, 0],
    )


def probabilities(
    contacts: Contacts, frame: int, model: BodyModel
) -> Float32[np.ndarray, "6890 1"]:
    """1 for the vertices that touch in a frame, else 0."""
    touching = np.zeros((len(model.v_template), 1), np.float32)
    for side, foot in enumerate((model.left_foot_vertices, model.right_foot_vertices)):
        toes, heel = surface_parts.sole_parts(model.v_template, foot)
        touching[toes] += contacts.toes[frame, side]
        touching[heel] += contacts.heels[frame, side]
        touching[surface_parts.knee(model, SIDES[side])] += contacts.knees[frame, side]
        touching[surface_parts.hand(model, SIDES[side])] += contacts.hands[frame, side]
    touching[surface_parts.seat(model)] += contacts.seat[frame]
    return touching


def _velocities(
    points_px: Float[np.ndarray, "T P 2"],
    m_per_px: Float[np.ndarray, " T"],
    ahead: list[Tracks | None],
    times_s: Float[np.ndarray, " T"],
) -> Float[np.ndarray, "T P 2"]:
    """Metres a second against the ground around the feet; not a number where that is unknown."""
    steps = np.full((max(len(times_s) - 1, 0), *points_px.shape[1:]), np.nan)
    for frame, tracks in enumerate(ahead[:-1]):
        if tracks is not None:
            ground_px = motion_at(points_px[frame, GROUNDED], tracks).mean(axis=0)
            moved_m = (points_px[frame + 1] - points_px[frame] - ground_px) * m_per_px[frame]
            steps[frame] = moved_m / (times_s[frame + 1] - times_s[frame])
    known = np.isfinite(steps).all(axis=(1, 2))
    sums = np.concatenate([np.zeros_like(steps[:1]), np.cumsum(np.nan_to_num(steps), axis=0)])
    counts = np.concatenate([[0], np.cumsum(known)])
    starts, ends = frames_within((times_s[1:] + times_s[:-1]) / 2, times_s, REACH_S).T
    with np.errstate(invalid="ignore"):
        return (sums[ends] - sums[starts]) / (counts[ends] - counts[starts])[:, None, None]


def _still(speed_m_s: Float[np.ndarray, "T N"]) -> Bool[np.ndarray, "T N"]:
    """What stands still at some time, for as long as it stays slow."""
    return binary_propagation(speed_m_s < STILL_M_S, ALONG_TIME, mask=speed_m_s < SLOW_M_S)


def _held(
    touching: Bool[np.ndarray, "T N"], times_s: Float[np.ndarray, " T"]
) -> Bool[np.ndarray, "T N"]:
    """Without what touches only for a moment."""
    kept = np.zeros_like(touching)
    for column in range(touching.shape[1]):
        for start, end in runs_of_true(touching[:, column]):
            kept[start:end, column] = times_s[end - 1] - times_s[start] >= HELD_S
    return kept


def _on_own_leg(
    points_px: Float[np.ndarray, "T P 2"], m_per_px: Float[np.ndarray, " T"]
) -> Bool[np.ndarray, "T 2"]:
    """Hands that lie on one of the thighs, as far as the picture tells."""
    hips, knees, wrists = (_both(points_px, name) for name in ("hip", "knee", "wrist"))
    along = (knees - hips)[:, None]
    from_hip = wrists[:, :, None] - hips[:, None]
    length2 = np.maximum((along**2).sum(axis=-1, keepdims=True), 1e-9)
    share = np.clip((from_hip * along).sum(axis=-1, keepdims=True) / length2, 0, 1)
    away_px = np.linalg.norm(from_hip - share * along, axis=-1).min(axis=-1)
    return away_px * m_per_px[:, None] < OWN_LEG_M


def _both(points: Float[np.ndarray, "T P 2"], name: str) -> Float[np.ndarray, "T 2 2"]:
    """A point on the left and on the right."""
    return points[:, [row(f"{side}_{name}") for side in SIDES]]


def _kneeling(
    points_px: Float[np.ndarray, "T P 2"], m_per_px: Float[np.ndarray, " T"]
) -> Bool[np.ndarray, "T 2"]:
    """Knees as low as ankles, under the hips, in the picture."""
    knee, ankle, hip = (
        _both(points_px, name)[..., 1] * m_per_px[:, None] for name in ("knee", "ankle", "hip")
    )
    return (knee > ankle - LOW_M) & (knee > hip + LOW_M)


def _sitting(body: FittedBody) -> Bool[np.ndarray, "T 1"]:
    """Both hips and both knees are bent."""
    upright = np.eye(3)
    bent = [
        angle_between(body.rotmats[:, SMPL24_NAMES.index(f"{side}_{name}")], upright) > SITTING_RAD
        for side in SIDES
        for name in ("hip", "knee")
    ]
    return np.all(bent, axis=0)[:, None]
