"""Random single poses around those of the motions, for networks that look at one image."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from tools.footage.motions.rest_body import ANKLE, HIP, KNEE, TOE
from tools.footage.motions.rotations import about_x, about_y, about_z, body_to_world
from tools.footage.motions.styles import ARM_POSES
from tools.footage.motions.upper_body import CHANNELS, PELVIS_PART_OF_LEAN, trunk_and_arms

# Means of (left hip flex, left knee, right hip flex, right knee, lean), rad.
LEG_POSES = np.array(
    [
        [0.05, 0.15, 0.05, 0.15, 0.05],  # standing
        [0.45, 0.20, -0.25, 0.45, 0.08],  # striding
        [0.60, 1.10, -0.05, 0.20, 0.08],  # swinging a leg through
        [0.90, 1.30, 0.90, 1.30, 0.45],  # crouching
        [1.50, 1.70, 1.50, 1.70, 0.60],  # sitting low
        [1.10, 1.30, 0.10, 0.35, 0.20],  # on a stair
        [0.10, 0.30, 0.10, 0.30, 0.90],  # bending down
    ]
)
LEG_SPREAD = np.array([0.25, 0.25, 0.25, 0.25, 0.2])
HIP_RANGE, KNEE_RANGE, ANKLE_RANGE = (-0.5, 2.0), (0.03, 2.4), (-0.6, 0.7)


def random_pose(rng: np.random.Generator, n: int) -> Float[np.ndarray, "n 24 3 3"]:
    """Wide but possible poses, local rotations with R_world_root (any heading) first.

    Legs and trunk scatter about everyday poses, arms about those of the gestures or hanging; every
    joint stays within a person's range. Half of the people are mirrored.
    """
    base = LEG_POSES[rng.integers(len(LEG_POSES), size=n)]
    legs = base + LEG_SPREAD * rng.normal(size=(n, 5))
    swapped = rng.random(n) < 0.5
    legs[swapped] = legs[swapped][:, [2, 3, 0, 1, 4]]
    channels = _channels(rng, n, np.clip(legs[:, 4], -0.2, 1.4))
    R = trunk_and_arms(channels)
    pitch = PELVIS_PART_OF_LEAN * channels["lean"]
    R[:, 0] = (
        body_to_world(rng.uniform(-np.pi, np.pi, n))
        @ about_x(pitch + rng.normal(0.0, 0.08, n))
        @ about_z(rng.normal(0.0, 0.07, n))
    )
    for side, (hip, knee, ankle, toe) in enumerate(zip(HIP, KNEE, ANKLE, TOE, strict=True)):
        sign = 1.0 if side == 0 else -1.0
        flex = np.clip(legs[:, 2 * side], *HIP_RANGE)
        bend = np.clip(legs[:, 2 * side + 1], *KNEE_RANGE)
        apart = sign * np.clip(rng.normal(0.06, 0.12, n), -0.2, 0.6)
        R[:, hip] = (
            about_y(sign * rng.normal(0.05, 0.2, n)) @ about_z(apart) @ about_x(-flex - pitch)
        )
        R[:, knee] = about_x(bend)
        level = np.clip(flex - bend + rng.normal(0.0, 0.2, n), *ANKLE_RANGE)
        R[:, ankle] = about_x(level) @ about_z(-0.6 * apart)
        R[:, toe] = about_x(-np.maximum(rng.normal(-0.1, 0.25, n), 0.0))
    return R


def _channels(
    rng: np.random.Generator, n: int, lean: Float[np.ndarray, " n"]
) -> dict[str, np.ndarray]:
    channels = {name: np.zeros(n) for name in CHANNELS}
    channels["lean"] = lean
    channels["side"] = np.clip(rng.normal(0.0, 0.15, n), -0.5, 0.5)
    channels["twist"] = np.clip(rng.normal(0.0, 0.25, n), -0.8, 0.8)
    channels["head_yaw"] = np.clip(rng.normal(0.0, 0.4, n), -1.1, 1.1)
    channels["head_pitch"] = np.clip(rng.normal(0.05, 0.25, n), -0.6, 0.8)
    channels["head_side"] = np.clip(rng.normal(0.0, 0.12, n), -0.4, 0.4)
    gestures = np.array(list(ARM_POSES.values()))
    both = rng.integers(len(gestures), size=n)
    for side in "lr":
        arm = np.where(rng.random(n) < 0.6, both, rng.integers(len(gestures), size=n))
        pose = gestures[arm]
        hangs = rng.random(n) < 0.5
        pose[hangs] = np.array([0.0, 0.2, 0.0, 0.4])
        pose = pose + rng.normal(size=(n, 4)) * [0.3, 0.15, 0.3, 0.3]
        channels[f"{side}_flex"] = np.clip(pose[:, 0], -0.9, 2.9)
        channels[f"{side}_abduct"] = np.clip(pose[:, 1], 0.1, 2.4)
        channels[f"{side}_turn"] = np.clip(pose[:, 2], -1.5, 1.2)
        channels[f"{side}_elbow"] = np.clip(pose[:, 3], 0.03, 2.4)
        channels[f"{side}_wrist"] = np.clip(rng.normal(0.0, 0.25, n), -0.8, 0.8)
    return channels
