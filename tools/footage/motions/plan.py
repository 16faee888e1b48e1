"""What a motion is planned as, before it becomes joint angles: footsteps, jumps and gestures."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Float

LEFT, RIGHT = 0, 1


@dataclass(frozen=True)
class Plant:
    """One foot on one spot: touches (heel first), lies flat, lifts its heel, leaves.

    `spot_m` lies on the terrain under the ankle. Pitches are positive with the toes down:
    `touch_pitch_rad` <= 0 at the touch, `leave_pitch_rad` >= 0 when the toes leave. The load comes
    onto the foot during `load_s` from the touch and goes during `unload_s` before it leaves.
    `clearance_m` is how high the foot passes over the terrain on its way here.
    """

    spot_m: Float[np.ndarray, " 3"]
    yaw_rad: float
    touch_s: float = -np.inf
    flat_s: float = -np.inf
    lift_s: float = np.inf
    leave_s: float = np.inf
    touch_pitch_rad: float = 0.0
    leave_pitch_rad: float = 0.0
    load_s: float = 0.1
    unload_s: float = 0.1
    clearance_m: float = 0.02


@dataclass(frozen=True)
class Jump:
    """Crouch, push, fly and absorb; both feet leave at `takeoff_s` and are back at `land_s`.

    Heights are of the pelvis above the floor under the feet, relative to standing.
    """

    crouch_s: float
    push_s: float
    takeoff_s: float
    land_s: float
    lowest_s: float
    stand_s: float
    crouch_m: float
    takeoff_m: float
    landing_m: float
    absorbed_m: float
    takeoff_speed_m_s: float


@dataclass(frozen=True)
class Gesture:
    """A channel of the pose goes to `value`, stays and comes back (`hold_s` may be infinite)."""

    channel: str
    value: float
    start_s: float
    rise_s: float = 0.5
    hold_s: float = 0.5
    fall_s: float = 0.5


@dataclass(frozen=True)
class Style:
    """How somebody moves. Lengths are in leg lengths where they say so; angles in radians."""

    step_time_s: float = 0.54
    step_length: float = 0.75  # leg lengths
    double_support: float = 0.22  # of the step time
    stance_width: float = 0.17  # ankles apart, leg lengths
    toe_out_rad: float = 0.10
    heel_strike_rad: float = 0.28
    push_off_rad: float = 0.75
    swing_clearance_m: float = 0.02
    knee_bend_m: float = 0.01
    lean_rad: float = 0.05
    arm_swing: float = 1.0
    arm_abduct_rad: float = 0.20
    arm_turn_rad: float = 0.0
    arm_flex_rad: float = 0.05
    elbow_rad: float = 0.35
    pelvis_yaw: float = 0.25
    trunk_counter: float = 0.25
    pelvis_list: float = 0.06
    head_pitch_rad: float = 0.0
    fidget_rad: float = 0.02
    fidget_phase: float = 0.0


@dataclass(frozen=True)
class Plan:
    """A whole motion: plants of the left and the right foot, jumps, gestures, from 0 to `end_s`."""

    plants: tuple[tuple[Plant, ...], tuple[Plant, ...]]
    end_s: float
    style: Style
    jumps: tuple[Jump, ...] = ()
    gestures: tuple[Gesture, ...] = field(default=())
