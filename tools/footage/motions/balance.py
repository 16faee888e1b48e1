"""How the pelvis travels over the feet: balance over the floor, height from what the legs reach.

Over the floor the body is an inverted pendulum on the centre of pressure,
com - com'' h / (g + z'') = cop (Kajita et al. 2001, the linear inverted pendulum); solved as a
boundary value problem over the whole motion it sways, starts, stops and leans like a person, and
in the air (no pressure) it goes straight on. The height is smooth, below what both legs reach,
and a parabola of gravity in the air.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from jaxtyping import Float
from scipy.linalg import solve_banded

from tools.footage.motions.curves import Knot, quintic, smooth_below
from tools.footage.motions.feet import FootPose
from tools.footage.motions.plan import Jump

GRAVITY_M_S2 = 9.81
LEG_STRETCH = 0.988  # of the straight leg, for a foot that bears; a swinging one may take the rest
SWING_STRETCH = 0.996
HEIGHT_SIGMA_S = 0.035
PRESSURE_FORWARD_M = 0.05  # centre of pressure of a flat foot, ahead of the ankle


def centre_of_pressure(
    feet: tuple[FootPose, FootPose],
    loads: Float[np.ndarray, "n 2"],
) -> Float[np.ndarray, "n 2"]:
    """On the floor between the feet, by their loads (which must not both be zero)."""
    centres = [
        foot.ankle_m[:, :2]
        + PRESSURE_FORWARD_M * np.stack([np.cos(foot.yaw_rad), np.sin(foot.yaw_rad)], -1)
        for foot in feet
    ]
    total = loads.sum(1)
    share = loads / np.maximum(total, 1e-6)[:, None]
    return share[:, :1] * centres[0] + share[:, 1:] * centres[1]


def centre_of_mass(
    cop_m: Float[np.ndarray, "n 2"], stiffness_s2: Float[np.ndarray, " n"], rate_hz: float
) -> Float[np.ndarray, "n 2"]:
    """Path of a pendulum over `cop_m` that rests over it at both ends.

    `stiffness_s2` is (g + z'') / h in 1/s^2, zero in the air.
    """
    n = len(cop_m)
    bands = np.zeros((3, n))
    bands[0, 2:] = rate_hz**2
    bands[2, :-2] = rate_hz**2
    bands[1] = -2 * rate_hz**2 - stiffness_s2
    right = -stiffness_s2[:, None] * cop_m
    bands[1, [0, -1]] = 1.0
    right[[0, -1]] = cop_m[[0, -1]]
    return solve_banded((1, 1), bands, right)


def reach_m(
    hip_xy_m: Float[np.ndarray, "n 2"],
    hip_up_m: Float[np.ndarray, " n"],
    ankle_m: Float[np.ndarray, "n 3"],
    length_m: Float[np.ndarray, " n"],
) -> Float[np.ndarray, " n"]:
    """Highest pelvis at which a leg of `length_m` joins hip and ankle (`hip_up_m` above pelvis)."""
    across = np.sum((hip_xy_m - ankle_m[:, :2]) ** 2, axis=1)
    return ankle_m[:, 2] + np.sqrt(np.maximum(length_m**2 - across, 0.01)) - hip_up_m


def pelvis_height(
    t_s: Float[np.ndarray, " n"],
    bound_m: Float[np.ndarray, " n"],
    drop_m: Float[np.ndarray, " n"],
    jumps: tuple[Jump, ...],
    rate_hz: float,
) -> Float[np.ndarray, " n"]:
    """Smooth height under `bound_m`, less `drop_m`; jumps replace it from crouch to standing."""
    height = np.empty(len(t_s))
    edges = [-np.inf, *(0.5 * (j.takeoff_s + j.land_s) for j in jumps), np.inf]
    airborne = np.zeros(len(t_s), bool)
    for jump in jumps:
        airborne |= (t_s > jump.takeoff_s) & (t_s < jump.land_s)
    for start, end in pairwise(edges):
        part = (t_s >= start) & (t_s < end)
        bound = np.where(airborne, np.inf, bound_m)[part]
        bound[~np.isfinite(bound)] = bound[np.isfinite(bound)].max()
        height[part] = smooth_below(bound, HEIGHT_SIGMA_S, rate_hz)
    height -= drop_m
    for jump in jumps:
        before, after = np.interp([jump.crouch_s, jump.stand_s], t_s, height)
        inside = (t_s > jump.crouch_s) & (t_s < jump.stand_s)
        height[inside] = jump_height(t_s[inside], jump, float(before), float(after))
    return height


def jump_height(
    t_s: Float[np.ndarray, " n"], jump: Jump, before_m: float, after_m: float
) -> Float[np.ndarray, " n"]:
    """Pelvis height through a jump that starts and ends standing at the given heights."""
    speed, g = jump.takeoff_speed_m_s, GRAVITY_M_S2
    low, off = before_m - jump.crouch_m, before_m + jump.takeoff_m
    flight_s = jump.land_s - jump.takeoff_s
    land, land_speed = off + speed * flight_s - g * flight_s**2 / 2, speed - g * flight_s
    bottom = land + jump.absorbed_m - jump.landing_m
    air = np.clip(t_s - jump.takeoff_s, 0.0, flight_s)
    pieces = (
        (jump.push_s, quintic(t_s, jump.crouch_s, jump.push_s, Knot(before_m), Knot(low))),
        (
            jump.takeoff_s,
            quintic(t_s, jump.push_s, jump.takeoff_s, Knot(low), Knot(off, speed, -g)),
        ),
        (jump.land_s, off + speed * air - g * air**2 / 2),
        (
            jump.lowest_s,
            quintic(t_s, jump.land_s, jump.lowest_s, Knot(land, land_speed, -g), Knot(bottom)),
        ),
    )
    height = quintic(t_s, jump.lowest_s, jump.stand_s, Knot(bottom), Knot(after_m))
    for end_s, values in reversed(pieces):
        height = np.where(t_s <= end_s, values, height)
    return height
