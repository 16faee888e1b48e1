"""Plans where and when the feet go: standing, steps, walks, turns and jumps, one after another."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from jaxtyping import Float

from stages.geometry.block_terrain import Terrain
from tools.footage.motions.balance import GRAVITY_M_S2, LEG_STRETCH
from tools.footage.motions.plan import LEFT, RIGHT, Gesture, Jump, Plan, Plant, Style
from tools.footage.motions.rest_body import RestBody
from tools.footage.motions.rotations import about_x

WEIGHT_SHIFT_S = 0.32  # onto one foot, before the first step from standing
LARGEST_TURN_RAD = 0.55  # of one step
ROLL_PART = 0.34  # of the step time: from the heel's lift to the toes' leaving
TOUCH_PART = 0.13  # of the step time: from the heel's touch to the flat foot
TAKEOFF_STRETCH = 0.91  # of the straight leg, with the hips this far ahead of the feet:
TAKEOFF_AHEAD_M = 0.2
LEAST_APEX_M = 0.16
TAKEOFF_PITCH_RAD = 0.8
ABSORB_S = 0.22  # from the landing to the deepest crouch
ON_LEVEL_M = 0.03


class Footsteps:
    """Grows a plan from its beginning; `now_s` is when the last planned foot touched."""

    def __init__(
        self,
        body: RestBody,
        terrain: Terrain,
        style: Style,
        start_xy_m: tuple[float, float],
        heading_rad: float,
    ) -> None:
        self.body, self.terrain, self.style = body, terrain, style
        self.now_s = 0.0
        self.place_m = np.array(start_xy_m, np.float64)
        self.heading_rad = float(heading_rad)
        self.next_side = RIGHT
        self.jumps: list[Jump] = []
        self.gestures: list[Gesture] = []
        self._standing = True
        self._plants: tuple[list[Plant], list[Plant]] = ([], [])
        for side in (LEFT, RIGHT):
            self._plants[side].append(self._plant(side, self.place_m, self.heading_rad))

    @property
    def step_length_m(self) -> float:
        return self.style.step_length * self.body.leg_length_m

    @property
    def toe_length_m(self) -> float:
        return max(foot.toe_length_m for foot in self.body.feet)

    @property
    def heel_length_m(self) -> float:
        return max(foot.heel_length_m for foot in self.body.feet)

    def stand(self, seconds: float) -> None:
        """Stays on both feet."""
        self.now_s += seconds
        self._standing = True

    def gesture(
        self, channel: str, value: float, start_s: float, rise_s: float = 0.5,
        hold_s: float = 0.5, fall_s: float = 0.5,
    ) -> None:  # fmt: skip
        """Moves a channel of the pose for a while (times of the plan)."""
        self.gestures.append(Gesture(channel, value, start_s, rise_s, hold_s, fall_s))

    def step(
        self, place_m: Float[np.ndarray, " 2"], heading_rad: float, seconds: float | None = None,
        side: int | None = None,
    ) -> None:  # fmt: skip
        """Puts the next foot (or `side`) beside `place_m`, where the body then heads."""
        side = self.next_side if side is None else side
        seconds = self.style.step_time_s if seconds is None else seconds
        shift = WEIGHT_SHIFT_S if self._standing else self.style.double_support * seconds
        swing = (1 - self.style.double_support) * seconds
        leave, touch = self.now_s + shift, self.now_s + shift + swing
        old, new = self._plants[side][-1], self._plant(side, place_m, heading_rad)
        rise = new.spot_m[2] - old.spot_m[2]
        way = new.spot_m[:2] - old.spot_m[:2]
        along = way @ [np.cos(heading_rad), np.sin(heading_rad)]
        full = float(np.clip(along / (2 * self.step_length_m), 0.0, 1.0))
        level = abs(rise) < ON_LEVEL_M
        push = self.style.push_off_rad * (0.25 + 0.75 * full if level else 0.55)
        strike = self.style.heel_strike_rad * full * full if level else 0.0
        roll = ROLL_PART * seconds * (0.6 + 0.4 * full)
        self._plants[side][-1] = replace(
            old, leave_s=leave, lift_s=max(leave - roll, old.flat_s + 0.02, 0.0), unload_s=shift,
            leave_pitch_rad=push,
        )  # fmt: skip
        flat = touch + TOUCH_PART * seconds * (strike > 0.02)
        self._plants[side].append(
            replace(
                new, touch_s=touch, flat_s=flat, touch_pitch_rad=-strike * (flat > touch),
                load_s=self.style.double_support * seconds,
                clearance_m=self.style.swing_clearance_m + 0.015 * (not level),
            )
        )  # fmt: skip
        self.now_s, self._standing = touch, False
        self.place_m, self.heading_rad = np.asarray(place_m, np.float64), float(heading_rad)
        self.next_side = 1 - side

    def close(self, seconds: float | None = None) -> None:
        """Brings the foot behind alongside the other one; the body then stands."""
        self.step(self.place_m, self.heading_rad, seconds)
        self._standing = True

    def walk_to(self, target_m: tuple[float, float] | np.ndarray, close: bool = True) -> None:
        """Steps to a point, turning towards it on the way; exact to the centimetre."""
        target = np.asarray(target_m, np.float64)
        for _ in range(60):
            way = target - self.place_m
            distance = float(np.hypot(*way))
            if distance < 0.01:
                break
            wanted = turn_between(self.heading_rad, float(np.arctan2(way[1], way[0])))
            turn = float(np.clip(wanted, -LARGEST_TURN_RAD, LARGEST_TURN_RAD))
            self._lead_with_the_inner_foot(turn)
            heading = self.heading_rad + turn
            length = distance / max(round(distance / self.step_length_m), 1)
            length *= max(np.cos(wanted), 0.0) if abs(wanted - turn) > 1e-6 else 1.0
            ahead = np.array([np.cos(heading), np.sin(heading)])
            self.step(self.place_m + length * ahead, heading)
        if close:
            self.close()

    def turn_to(self, heading_rad: float) -> None:
        """Turns on the spot, a step at a time."""
        left = turn_between(self.heading_rad, heading_rad)
        count = int(np.ceil(abs(left) / LARGEST_TURN_RAD))
        for _ in range(count):
            self._lead_with_the_inner_foot(left)
            self.step(self.place_m, self.heading_rad + left / count)
            self.close()
        self._standing = True

    def side_step(self, left_m: float, times: int = 1) -> None:
        """Steps to the side (left positive) without turning."""
        left = np.array([-np.sin(self.heading_rad), np.cos(self.heading_rad)])
        for _ in range(times):
            self.step(self.place_m + left_m * left, self.heading_rad, side=int(left_m < 0))
            self.close()

    def jump_to(
        self, place_m: Float[np.ndarray, " 2"], crouch: float = 0.36, apex_m: float = LEAST_APEX_M,
    ) -> None:  # fmt: skip
        """Jumps off both feet and lands on both beside `place_m`, then stands up.

        `crouch` is in leg lengths; `apex_m` is the least rise of the pelvis after take-off.
        """
        leg = self.body.leg_length_m
        landing = [self._plant(side, place_m, self.heading_rad) for side in (LEFT, RIGHT)]
        rise = float(landing[0].spot_m[2] - self._plants[0][-1].spot_m[2])
        stood = LEG_STRETCH * leg
        pushed = np.sqrt((TAKEOFF_STRETCH * leg) ** 2 - TAKEOFF_AHEAD_M**2)
        takeoff_m = float(pushed - stood + self._heel_lift_m(TAKEOFF_PITCH_RAD))
        landing_m = -0.2 * leg + 0.15 * min(rise, 0.0)  # deeper, the farther the fall
        gain = rise + landing_m - takeoff_m
        apex = max(apex_m, gain + 0.1)
        speed = float(np.sqrt(2 * GRAVITY_M_S2 * apex))
        flight = speed / GRAVITY_M_S2 + float(np.sqrt(2 * (apex - gain) / GRAVITY_M_S2))
        land_speed = GRAVITY_M_S2 * flight - speed
        crouch_s = self.now_s + 0.15
        push_s = crouch_s + 0.42
        takeoff = push_s + 2.1 * (crouch * leg + takeoff_m) / speed
        land = takeoff + flight
        lowest = land + ABSORB_S
        jump = Jump(
            crouch_s, push_s, takeoff, land, lowest, lowest + 0.65, crouch * leg, takeoff_m,
            landing_m, landing_m - 0.4 * ABSORB_S * land_speed, speed,
        )  # fmt: skip
        self.jumps.append(jump)
        for side in (LEFT, RIGHT):
            old = self._plants[side][-1]
            self._plants[side][-1] = replace(
                old, leave_s=takeoff, lift_s=max(takeoff - 0.17, old.flat_s + 0.01),
                unload_s=0.02, leave_pitch_rad=TAKEOFF_PITCH_RAD,
            )  # fmt: skip
            self._plants[side].append(
                replace(landing[side], touch_s=land, flat_s=land, load_s=0.02, clearance_m=0.05)
            )
        self.place_m = np.asarray(place_m, np.float64)
        self.now_s, self._standing = jump.stand_s, True
        self._swing_arms_and_lean(jump)

    def plan(self, linger_s: float = 1.0) -> Plan:
        """The plan so far, ending with the person standing for `linger_s`."""
        left, right = self._plants
        return Plan(
            (tuple(left), tuple(right)), self.now_s + linger_s, self.style, tuple(self.jumps),
            tuple(self.gestures),
        )  # fmt: skip

    def _swing_arms_and_lean(self, jump: Jump) -> None:
        push = jump.takeoff_s - jump.push_s
        down = jump.push_s - jump.crouch_s
        self.gesture("lean", 0.75, jump.crouch_s, down, 0.0, push + 0.1)
        self.gesture("lean", 0.65, jump.land_s - 0.25, 0.45, 0.05, 0.6)
        for side in "lr":
            self.gesture(f"{side}_flex", -0.6, jump.crouch_s, down, 0.0, push)
            self.gesture(f"{side}_flex", 1.5, jump.push_s, push + 0.12, 0.05, 0.7)
            self.gesture(f"{side}_elbow", 0.7, jump.push_s, push + 0.1, 0.1, 0.7)
            self.gesture(f"{side}_abduct", 0.4, jump.push_s, push + 0.1, 0.1, 0.8)

    def _heel_lift_m(self, pitch_rad: float) -> float:
        """How much the ankle rises when the foot rolls over its toe joint."""
        pivot = self.body.feet[0].toe_joint_m
        return float((about_x(pitch_rad) @ -pivot + pivot)[1])

    def _lead_with_the_inner_foot(self, turn_rad: float) -> None:
        """From standing, a turn starts with the foot on its side, so that the legs never cross."""
        if self._standing and abs(turn_rad) > 0.1:
            self.next_side = LEFT if turn_rad > 0 else RIGHT

    def _plant(self, side: int, place_m: np.ndarray, heading_rad: float) -> Plant:
        sign = 1.0 if side == LEFT else -1.0
        half = sign * 0.5 * self.style.stance_width * self.body.leg_length_m
        left = np.array([-np.sin(heading_rad), np.cos(heading_rad)])
        spot = np.asarray(place_m) + half * left
        height = float(self.terrain.height_at(spot))
        return Plant(np.array([*spot, height]), heading_rad + sign * self.style.toe_out_rad)


def turn_between(from_rad: float, to_rad: float) -> float:
    """The shorter way round, -pi to pi."""
    return float((to_rad - from_rad + np.pi) % (2 * np.pi) - np.pi)
