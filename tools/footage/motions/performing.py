"""Turns a plan into a motion: feet first, then the pelvis over them, legs, trunk and arms."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float
from scipy.interpolate import CubicSpline

from stages.geometry.block_terrain import Terrain
from tools.footage.motions import balance
from tools.footage.motions.curves import smooth
from tools.footage.motions.feet import FootPose, FootTrack
from tools.footage.motions.legs import solve_leg, straight_leg_m
from tools.footage.motions.motion import Motion
from tools.footage.motions.plan import Jump, Plan
from tools.footage.motions.rest_body import ANKLE, HIP, KNEE, TOE, RestBody, RestFoot
from tools.footage.motions.rotations import about_x, about_z, body_to_world, transpose
from tools.footage.motions.upper_body import (
    CHANNELS,
    PELVIS_PART_OF_LEAN,
    apply_gestures,
    trunk_and_arms,
    walking_channels,
)

RATE_HZ = 120.0  # of the signals between which frames are interpolated
HEADING_SIGMA_S = 0.12
STRIDE_SIGMA_S = 0.05
TRUNK_ARM_M = 0.22  # centre of mass of the trunk over the pelvis, as part of the whole body
TUCK_STRETCH = (0.40, 0.955)  # of the straight leg: how close and how far feet get in the air


def perform(
    plan: Plan,
    body: RestBody,
    terrain: Terrain,
    fps: float,
    start_s: float = 0.0,
    end_s: float | None = None,
) -> Motion:
    """The motion between two times of a plan, both included.

    The same plan is the same motion at every rate.
    """
    stop = plan.end_s if end_s is None else end_s
    t_s = start_s + np.arange(round((stop - start_s) * fps) + 1) / fps
    tracks = [FootTrack(plan.plants[i], body.feet[i], terrain) for i in (0, 1)]
    grid_s = np.arange(0.0, plan.end_s + 2 / RATE_HZ, 1 / RATE_HZ)
    signals = CubicSpline(grid_s, _signals(grid_s, plan, body, (tracks[0], tracks[1])))(t_s)
    root, turn = signals[:, :3], signals[:, 3:6]
    channels = {name: signals[:, 6 + i] for i, name in enumerate(CHANNELS)}

    rotmats = trunk_and_arms(channels)
    rotmats[:, 0] = pelvis_rotation(turn)
    in_air = _in_air(t_s, plan.jumps)
    contacts = np.zeros((len(t_s), 2), bool)
    for i, track in enumerate(tracks):
        _place_leg(rotmats, root, turn[:, 0], track.pose(t_s), in_air, body, i)
        contacts[:, i] = track.contact(t_s)
    return Motion(float(fps), rotmats, root, body.betas, contacts)


def pelvis_rotation(turn: Float[np.ndarray, "n 3"]) -> Float[np.ndarray, "n 3 3"]:
    """R_world_root from heading, pitch (forward) and list (left side up), rad."""
    return body_to_world(turn[:, 0]) @ about_x(turn[:, 1]) @ about_z(turn[:, 2])


def _signals(
    t_s: np.ndarray, plan: Plan, body: RestBody, tracks: tuple[FootTrack, FootTrack]
) -> Float[np.ndarray, "n 23"]:
    """Pelvis position, heading, pitch and list, then the channels, over a regular grid."""
    feet = (tracks[0].pose(t_s), tracks[1].pose(t_s))
    loads = np.stack([track.load(t_s) for track in tracks], axis=1)
    heading = smooth((feet[0].yaw_rad + feet[1].yaw_rad) / 2, HEADING_SIGMA_S, RATE_HZ)
    forward = np.stack([np.cos(heading), np.sin(heading)], axis=-1)
    apart = np.sum((feet[0].ankle_m - feet[1].ankle_m)[:, :2] * forward, axis=1)
    stride = smooth(apart / body.leg_length_m, STRIDE_SIGMA_S, RATE_HZ)
    channels = apply_gestures(walking_channels(t_s, stride, plan.style), t_s, plan.gestures)

    lopsided = loads[:, 0] - loads[:, 1]
    turn = np.stack(
        [
            heading - 0.5 * plan.style.pelvis_yaw * stride,
            PELVIS_PART_OF_LEAN * channels["lean"],
            plan.style.pelvis_list * smooth(lopsided, 2 * STRIDE_SIGMA_S, RATE_HZ),
        ],
        axis=1,
    )
    cop = _pressure(t_s, feet, loads, plan.jumps)
    com = balance.centre_of_mass(cop, _stiffness(t_s, plan.jumps, body), RATE_HZ)
    back = TRUNK_ARM_M * np.sin(channels["lean"] - plan.style.lean_rad)
    root_xy = com - back[:, None] * forward
    bound = _bound(root_xy, turn, feet, tracks, t_s, body)
    height = balance.pelvis_height(t_s, bound, channels["drop"], plan.jumps, RATE_HZ)
    return np.column_stack([root_xy, height, turn, *(channels[name] for name in CHANNELS)])


def _pressure(
    t_s: np.ndarray,
    feet: tuple[FootPose, FootPose],
    loads: np.ndarray,
    jumps: tuple[Jump, ...],
) -> Float[np.ndarray, "n 2"]:
    """Centre of pressure; in the air it does not matter and stays finite."""
    bearing = np.where(_in_air(t_s, jumps)[:, None], 1.0, loads)
    return balance.centre_of_pressure(feet, bearing)


def _stiffness(t_s: np.ndarray, jumps: tuple[Jump, ...], body: RestBody) -> np.ndarray:
    """(g + z'') / h of the pendulum, from the planned heights of the jumps."""
    height = body.leg_length_m + body.feet[0].ankle_height_m
    push = np.full(len(t_s), balance.GRAVITY_M_S2)
    for jump in jumps:
        inside = (t_s > jump.crouch_s) & (t_s < jump.stand_s)
        planned = balance.jump_height(t_s, jump, 0.0, jump_rise_m(jump))
        push[inside] += (np.gradient(np.gradient(planned)) * RATE_HZ**2)[inside]
    push[_in_air(t_s, jumps)] = 0.0
    return np.maximum(push, 0.0) / height


def jump_rise_m(jump: Jump) -> float:
    """How much higher the person stands after the jump than before, from the plan's heights."""
    flight = jump.land_s - jump.takeoff_s
    gained = jump.takeoff_speed_m_s * flight - balance.GRAVITY_M_S2 * flight**2 / 2
    return jump.takeoff_m + gained - jump.landing_m


def _bound(
    root_xy: np.ndarray,
    turn: np.ndarray,
    feet: tuple[FootPose, FootPose],
    tracks: tuple[FootTrack, FootTrack],
    t_s: np.ndarray,
    body: RestBody,
) -> np.ndarray:
    """Highest pelvis that both legs allow."""
    R = pelvis_rotation(turn)
    bounds = []
    for i in (0, 1):
        hip = R @ (body.joints_m[HIP[i]] - body.joints_m[0])
        stretch = np.where(tracks[i].planted(t_s), balance.LEG_STRETCH, balance.SWING_STRETCH)
        length = straight_leg_m(*_bones(body, i)) * stretch
        bounds.append(balance.reach_m(root_xy + hip[:, :2], hip[:, 2], feet[i].ankle_m, length))
    return np.minimum(*bounds)


def _bones(body: RestBody, side: int) -> tuple[np.ndarray, np.ndarray]:
    joints = body.joints_m
    return (
        joints[KNEE[side]] - joints[HIP[side]],
        joints[ANKLE[side]] - joints[KNEE[side]],
    )


def _place_leg(
    rotmats: np.ndarray,
    root_m: np.ndarray,
    heading: np.ndarray,
    foot: FootPose,
    in_air: np.ndarray,
    body: RestBody,
    side: int,
) -> None:
    """Writes hip, knee, ankle and toe of one leg so that the foot is where its track has it."""
    R_root = rotmats[:, 0]
    hip = root_m + R_root @ (body.joints_m[HIP[side]] - body.joints_m[0])
    bones = _bones(body, side)
    ankle = np.where(
        in_air[:, None],
        _tucked(hip, foot.ankle_m, straight_leg_m(*bones)),
        foot.ankle_m,
    )
    facing = (heading + foot.yaw_rad) / 2
    left = np.stack([-np.sin(facing), np.cos(facing), np.zeros_like(facing)], axis=-1)
    R_thigh, R_knee = solve_leg(hip, ankle, left, *bones)
    rest: RestFoot = body.feet[side]
    R_foot = body_to_world(foot.yaw_rad) @ about_x(foot.pitch_rad) @ rest.R_level
    rotmats[:, HIP[side]] = transpose(R_root) @ R_thigh
    rotmats[:, KNEE[side]] = R_knee
    rotmats[:, ANKLE[side]] = transpose(R_thigh @ R_knee) @ R_foot
    rotmats[:, TOE[side]] = rest.R_level.T @ about_x(foot.toe_rad) @ rest.R_level


def _tucked(hip_m: np.ndarray, ankle_m: np.ndarray, leg_m: float) -> np.ndarray:
    """Feet in the air drawn to where the leg reaches; unchanged well within reach."""
    way = ankle_m - hip_m
    distance = np.linalg.norm(way, axis=1)
    near, far = TUCK_STRETCH[0] * leg_m, TUCK_STRETCH[1] * leg_m
    soft = 0.05 * leg_m
    drawn = far - soft + soft * np.tanh((distance - far + soft) / soft)
    pushed = near + soft + soft * np.tanh((distance - near - soft) / soft)
    new = np.where(distance > far - soft, drawn, np.where(distance < near + soft, pushed, distance))
    return hip_m + way * (new / distance)[:, None]


def _in_air(t_s: np.ndarray, jumps: tuple[Jump, ...]) -> np.ndarray:
    """Whether both feet are off the ground in a jump (bool)."""
    air = np.zeros(len(t_s), bool)
    for jump in jumps:
        air |= (t_s > jump.takeoff_s) & (t_s < jump.land_s)
    return air
