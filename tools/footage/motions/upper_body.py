"""Spine, head and arms: driven by the feet in a walk, then by gestures, with some fidgeting."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from stages.body.joint_names import smpl45_row
from tools.footage.motions.curves import plateau
from tools.footage.motions.plan import Gesture, Style
from tools.footage.motions.rotations import about_x, about_y, about_z

CHANNELS = (
    "lean", "side", "twist", "head_pitch", "head_yaw", "head_side", "drop",
    "l_flex", "l_abduct", "l_turn", "l_elbow", "l_wrist",
    "r_flex", "r_abduct", "r_turn", "r_elbow", "r_wrist",
)  # fmt: skip
PELVIS_PART_OF_LEAN = 0.4
SPINE_PARTS = {"spine_1": 0.35, "spine_2": 0.35, "spine_3": 0.3}
FIDGET_HZ = (0.23, 0.41, 0.67)

Channels = dict[str, Float[np.ndarray, " n"]]


def walking_channels(
    t_s: Float[np.ndarray, " n"], stride: Float[np.ndarray, " n"], style: Style
) -> Channels:
    """Channels of somebody whose left foot is `stride` leg lengths further ahead than the right.

    Angles in rad, `drop` in metres. Arms swing with the foot of the other side, the trunk turns
    against the pelvis.
    """
    channels = {name: np.zeros(len(t_s)) for name in CHANNELS}
    channels["lean"] += style.lean_rad
    channels["drop"] += style.knee_bend_m
    channels["head_pitch"] += style.head_pitch_rad
    channels["twist"] += (style.pelvis_yaw + style.trunk_counter) * 0.5 * stride
    channels["head_yaw"] -= style.trunk_counter * 0.5 * stride
    for side, sign in (("l", -1.0), ("r", 1.0)):
        swing = sign * 0.5 * style.arm_swing * stride
        channels[f"{side}_flex"] += style.arm_flex_rad + swing
        channels[f"{side}_elbow"] += style.elbow_rad + 0.6 * swing
        channels[f"{side}_abduct"] += style.arm_abduct_rad
        channels[f"{side}_turn"] += style.arm_turn_rad
    for i, name in enumerate(CHANNELS):
        if name != "drop":
            channels[name] += fidget(t_s, style.fidget_rad, style.fidget_phase + 1.7 * i)
    return channels


def fidget(
    t_s: Float[np.ndarray, " n"], size_rad: float, phase_rad: float
) -> Float[np.ndarray, " n"]:
    """A slow wandering that never repeats within a clip."""
    waves = [np.sin(2 * np.pi * hz * t_s + phase_rad * (k + 1)) for k, hz in enumerate(FIDGET_HZ)]
    return size_rad * np.sum(waves, axis=0)


def apply_gestures(
    channels: Channels, t_s: Float[np.ndarray, " n"], gestures: tuple[Gesture, ...]
) -> Channels:
    """Each gesture pulls its channel to its value while it lasts, in the order given."""
    channels = dict(channels)
    for g in gestures:
        weight = plateau(t_s, g.start_s, g.rise_s, g.hold_s, g.fall_s)
        channels[g.channel] = channels[g.channel] + weight * (g.value - channels[g.channel])
    for side in "lr":
        channels[f"{side}_elbow"] = np.clip(channels[f"{side}_elbow"], 0.02, 2.4)
        channels[f"{side}_abduct"] = np.clip(channels[f"{side}_abduct"], 0.08, 2.7)
    return channels


def trunk_and_arms(channels: Channels) -> Float[np.ndarray, "n 24 3 3"]:
    """Local rotations of all joints above the pelvis; identity for pelvis and legs."""
    n = len(channels["lean"])
    R = np.tile(np.eye(3), (n, 24, 1, 1))
    lean = (1 - PELVIS_PART_OF_LEAN) * channels["lean"]
    for name, part in SPINE_PARTS.items():
        R[:, smpl45_row(name)] = (
            about_y(part * channels["twist"])
            @ about_x(part * lean)
            @ about_z(part * channels["side"])
        )
    for name in ("neck", "head"):
        R[:, smpl45_row(name)] = (
            about_y(0.5 * channels["head_yaw"])
            @ about_x(0.5 * (channels["head_pitch"] - 0.55 * channels["lean"]))
            @ about_z(0.5 * channels["head_side"])
        )
    for name, mirror in (("left", 1.0), ("right", -1.0)):
        side = name[0]
        collar, shoulder, elbow, wrist = (
            smpl45_row(f"{name}_{joint}") for joint in ("collar", "shoulder", "elbow", "wrist")
        )
        flex, abduct = channels[f"{side}_flex"], channels[f"{side}_abduct"]
        raised = np.maximum(np.hypot(np.maximum(flex, 0.0), abduct) - 0.8, 0.0)
        shrug = 0.18 * raised**2 / (raised + 0.3)
        R[:, collar] = about_z(mirror * shrug)
        R[:, shoulder] = (
            about_x(-flex)
            @ about_z(-mirror * (np.pi / 2 - abduct + shrug))
            @ about_x(channels[f"{side}_turn"])
        )
        R[:, elbow] = about_y(-mirror * channels[f"{side}_elbow"])
        R[:, wrist] = about_z(mirror * channels[f"{side}_wrist"])
    return R
