"""Where a foot is at any time: planted exactly, rolling over heel or toe joint, or swinging."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from stages.geometry.block_terrain import Block, Terrain
from tools.footage.motions.curves import Knot, bump, quintic
from tools.footage.motions.plan import Plant
from tools.footage.motions.rest_body import RestFoot
from tools.footage.motions.rotations import about_x, body_to_world

CONTACT_HEIGHT_M = 0.01
CONTACT_SPEED_M_S = 0.05
SPEED_SPAN_S = 0.004  # over which the speed of the sole is taken
FOOT_ROOM_M = 0.6  # a swinging foot stays this close to the line between its spots
LARGEST_TOE_BEND_RAD = 0.9
SWING_SAMPLES = np.linspace(0.0, 1.0, 29)
LIFT_SHAPES = ((3, 3), (3, 5), (3, 7))  # bumps, ever earlier in the swing
GENTLE_LIFT_M, LARGEST_LIFT_M = 0.12, 0.5
ON_LEVEL_M = 0.05  # a swing that rises or sinks less stays on its straight way
FULL_CLEARANCE_BUMP = 0.4  # nearer the ends of a swing, the wanted clearance fades


class FootPose(NamedTuple):
    """A foot over time: ankle joint in the world, heading, pitch (toes down), bend of the toes."""

    ankle_m: Float[np.ndarray, "n 3"]
    yaw_rad: Float[np.ndarray, " n"]
    pitch_rad: Float[np.ndarray, " n"]
    toe_rad: Float[np.ndarray, " n"]


@dataclass(frozen=True)
class _End:
    """State of the foot where a swing starts or ends."""

    time_s: float
    ankle: Knot
    yaw_rad: float
    pitch: Knot


@dataclass(frozen=True)
class _Swing:
    """Quintic from one end to the other, lifted and held back by bumps to clear the ground."""

    start: _End
    end: _End
    lift_m: float = 0.0
    lift_shape: tuple[int, int] = (3, 3)
    hold_back_m: tuple[float, float] = (0.0, 0.0)
    hold_back_shape: tuple[int, int] = (3, 5)

    def pose(self, t_s: Float[np.ndarray, " n"]) -> FootPose:
        t0, t1 = self.start.time_s, self.end.time_s
        s = (t_s - t0) / (t1 - t0)
        ankle = quintic(t_s, t0, t1, self.start.ankle, self.end.ankle)
        ankle[:, 2] += self.lift_m * bump(s, *self.lift_shape)
        ankle[:, :2] += np.outer(bump(s, *self.hold_back_shape), self.hold_back_m)
        yaw = quintic(t_s, t0, t1, Knot(self.start.yaw_rad), Knot(self.end.yaw_rad))
        pitch = quintic(t_s, t0, t1, self.start.pitch, self.end.pitch)
        bent = self.start.pitch
        toe = quintic(t_s, t0, t0 + 0.7 * (t1 - t0), Knot(-bent.x, -bent.v, -bent.a), Knot(0.0))
        return FootPose(ankle, yaw, pitch, np.maximum(toe, -LARGEST_TOE_BEND_RAD))


class FootTrack:
    """The path of one foot through its plants over a terrain."""

    def __init__(self, plants: tuple[Plant, ...], foot: RestFoot, terrain: Terrain) -> None:
        self.plants = plants
        self.foot = foot
        self._up = np.array([0.0, 0.0, foot.ankle_height_m])
        self.terrain = _along(plants, terrain)
        self._swings = [
            self._clear(_Swing(self._leaving(a), self._touching(b)), b.clearance_m)
            for a, b in pairwise(plants)
        ]

    def pose(self, t_s: Float[np.ndarray, " n"]) -> FootPose:
        n = len(t_s)
        pose = FootPose(np.zeros((n, 3)), np.zeros(n), np.zeros(n), np.zeros(n))
        for plant in self.plants:
            self._fill(pose, (t_s >= plant.touch_s) & (t_s <= plant.leave_s), t_s, plant)
        for swing in self._swings:
            inside = (t_s > swing.start.time_s) & (t_s < swing.end.time_s)
            if inside.any():
                for out, values in zip(pose, swing.pose(t_s[inside]), strict=True):
                    out[inside] = values
        return pose

    def planted(self, t_s: Float[np.ndarray, " n"]) -> np.ndarray:
        """Whether the foot bears on its spot, rolling included (bool)."""
        return np.any([(t_s >= p.touch_s) & (t_s <= p.leave_s) for p in self.plants], axis=0)

    def load(self, t_s: Float[np.ndarray, " n"]) -> Float[np.ndarray, " n"]:
        """How much the foot is ready to bear, 0 to 1."""
        total = np.zeros(len(t_s))
        for plant in self.plants:
            on = (t_s - plant.touch_s) / plant.load_s if np.isfinite(plant.touch_s) else 1.0
            off = (plant.leave_s - t_s) / plant.unload_s if np.isfinite(plant.leave_s) else 1.0
            total += np.clip(np.minimum(on, off), 0.0, 1.0)
        return total

    def sole(self, pose: FootPose) -> Float[np.ndarray, "n k 3"]:
        """World points of the sole, those of the toes last."""
        foot = self.foot
        R = body_to_world(pose.yaw_rad) @ about_x(pose.pitch_rad)
        rear = np.einsum("nij,kj->nki", R, foot.rear_m)
        toes = np.einsum("nij,kj->nki", R @ about_x(pose.toe_rad), foot.toes_m - foot.toe_joint_m)
        toes += (R @ foot.toe_joint_m)[:, None]
        return np.concatenate([rear, toes], axis=1) + pose.ankle_m[:, None]

    def contact(self, t_s: Float[np.ndarray, " n"]) -> np.ndarray:
        """Whether the whole sole lies within a centimetre of the ground and hardly moves (bool)."""
        before, here, after = (
            self.sole(self.pose(t_s + offset))
            for offset in (-SPEED_SPAN_S / 2, 0.0, SPEED_SPAN_S / 2)
        )
        speed = np.linalg.norm(after - before, axis=-1).max(1) / SPEED_SPAN_S
        ground = self.terrain.height_at(self.pose(t_s).ankle_m[:, :2])
        above = here[..., 2] - ground[:, None]
        lift = above - self._rest_lift()
        return (np.abs(lift).max(1) < CONTACT_HEIGHT_M) & (speed < CONTACT_SPEED_M_S)

    def _rest_lift(self) -> Float[np.ndarray, " k"]:
        """How high each point of the sole is above the ground when the foot stands."""
        points = np.concatenate([self.foot.rear_m, self.foot.toes_m])
        return points[:, 1] + self.foot.ankle_height_m

    def _fill(self, pose: FootPose, inside: np.ndarray, t_s: np.ndarray, plant: Plant) -> None:
        """A planted foot: flat, but first it rolls over the heel and last over the toe joint."""
        if not inside.any():
            return
        pose.yaw_rad[inside] = plant.yaw_rad
        pose.ankle_m[inside] = plant.spot_m + self._up
        rolls = (
            (inside & (t_s < plant.flat_s), self._touch_pitch, self.foot.heel_m, 0.0),
            (inside & (t_s > plant.lift_s), self._leave_pitch, self.foot.toe_joint_m, -1.0),
        )
        for rolling, pitch_of, pivot, toe in rolls:
            if rolling.any():
                pitch = pitch_of(plant, t_s[rolling])
                arm = about_x(pitch) @ -pivot + pivot
                pose.ankle_m[rolling] += arm @ body_to_world(plant.yaw_rad).T
                pose.pitch_rad[rolling] = pitch
                pose.toe_rad[rolling] = toe * pitch

    @staticmethod
    def _touch_pitch(plant: Plant, t_s: np.ndarray) -> np.ndarray:
        return quintic(t_s, plant.touch_s, plant.flat_s, _touch_knot(plant), Knot(0.0))

    @staticmethod
    def _leave_pitch(plant: Plant, t_s: np.ndarray) -> np.ndarray:
        return quintic(t_s, plant.lift_s, plant.leave_s, Knot(0.0), _leave_knot(plant))

    def _leaving(self, plant: Plant) -> _End:
        knot = _leave_knot(plant)
        return _End(
            plant.leave_s, self._rolled(plant, knot, self.foot.toe_joint_m), plant.yaw_rad, knot
        )

    def _touching(self, plant: Plant) -> _End:
        knot = _touch_knot(plant)
        return _End(plant.touch_s, self._rolled(plant, knot, self.foot.heel_m), plant.yaw_rad, knot)

    def _rolled(self, plant: Plant, pitch: Knot, pivot: np.ndarray) -> Knot:
        """Position, velocity and acceleration of the ankle of a foot that rolls over `pivot`."""
        to_world = body_to_world(plant.yaw_rad)
        arm = to_world @ about_x(pitch.x) @ -pivot
        across = to_world @ about_x(float(pitch.x) + np.pi / 2) @ (-pivot * [0.0, 1.0, 1.0])
        inward = to_world @ about_x(pitch.x) @ (pivot * [0.0, 1.0, 1.0])
        fixed = plant.spot_m + self._up + to_world @ pivot
        return Knot(fixed + arm, across * pitch.v, across * pitch.a + inward * pitch.v**2)

    def _clear(self, swing: _Swing, clearance_m: float) -> _Swing:
        """The gentlest of a few swings that passes over the terrain; the best if none does.

        Each holds the foot back (ahead, going down) by a part of its way, and lifts it by a bump.
        """
        span = swing.end.time_s - swing.start.time_s
        t_s = swing.start.time_s + SWING_SAMPLES * span
        wanted = clearance_m * np.minimum(bump(SWING_SAMPLES, 3, 3) / FULL_CLEARANCE_BUMP, 1.0)
        start, end = np.asarray(swing.start.ankle.x), np.asarray(swing.end.ankle.x)
        way, rise = end[:2] - start[:2], float(end[2] - start[2])
        uphill = rise > -ON_LEVEL_M
        best, least = swing, np.inf
        for part in (0.0, 0.1, 0.2, 0.3) if abs(rise) > ON_LEVEL_M else (0.0,):
            held = (-part if uphill else part) * way
            trial = replace(
                swing,
                hold_back_m=(float(held[0]), float(held[1])),
                hold_back_shape=(3, 5) if uphill else (5, 3),
            )
            lack = self._lack(trial.pose(t_s)) + wanted
            for shape in LIFT_SHAPES:
                shape = shape if uphill else (shape[1], shape[0])
                lift, short = _needed_lift(lack, bump(SWING_SAMPLES, *shape))
                cost = lift + 0.3 * part + 100 * short
                if cost < least:
                    best, least = replace(trial, lift_m=lift, lift_shape=shape), cost
            if least < GENTLE_LIFT_M:
                break
        return best

    def _lack(self, pose: FootPose) -> Float[np.ndarray, " n"]:
        """How far the lowest part of the sole is below the terrain (negative when above)."""
        sole = self.sole(pose)
        return (self.terrain.height_at(sole[..., :2]) - sole[..., 2]).max(1)


def _needed_lift(
    lack_m: Float[np.ndarray, " n"], shape: Float[np.ndarray, " n"]
) -> tuple[float, float]:
    """How much a bump must lift a swing, and by how much it still falls short near the ends."""
    inner = shape > 0.08
    lift = float(np.clip((lack_m[inner] / shape[inner]).max(), 0.0, LARGEST_LIFT_M))
    short = float(np.maximum(lack_m - lift * shape - 0.002, 0.0).max())
    return lift, short


def _along(plants: tuple[Plant, ...], terrain: Terrain) -> Terrain:
    """The terrain with only those blocks that come near the plants."""
    spots = np.array([plant.spot_m[:2] for plant in plants])
    points = spots[:1]
    if len(spots) > 1:
        between = np.linspace(0.0, 1.0, 5)[:, None, None]
        points = (spots[:-1] + between * np.diff(spots, axis=0)).reshape(-1, 2)

    def is_near(block: Block) -> bool:
        size = np.array([block.half_length_m, block.half_width_m]) + FOOT_ROOM_M
        return bool((np.abs(block.local_xy(points)) < size).all(-1).any())

    return replace(
        terrain,
        steps=tuple(filter(is_near, terrain.steps)),
        objects=tuple(filter(is_near, terrain.objects)),
    )


def _touch_knot(plant: Plant) -> Knot:
    if not np.isfinite(plant.touch_s) or plant.flat_s <= plant.touch_s:
        return Knot(0.0)
    return Knot(
        plant.touch_pitch_rad, -0.8 * plant.touch_pitch_rad / (plant.flat_s - plant.touch_s)
    )


def _leave_knot(plant: Plant) -> Knot:
    if not np.isfinite(plant.leave_s) or plant.leave_s <= plant.lift_s:
        return Knot(0.0)
    return Knot(plant.leave_pitch_rad, 1.5 * plant.leave_pitch_rad / (plant.leave_s - plant.lift_s))
