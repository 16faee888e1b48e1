"""Things that people do on a spot or with their arms, added to a plan at its present end."""

from __future__ import annotations

import numpy as np

from tools.footage.motions.footsteps import Footsteps
from tools.footage.motions.styles import ARM_POSES

SIDES = ("l", "r")
ARM_CHANNELS = ("flex", "abduct", "turn", "elbow")
SLOW_ARM_RAD_S = 4.0  # fastest mean speed of a gesture's arm


def pose_arm(
    steps: Footsteps, rng: np.random.Generator, side: str, pose: str, start_s: float, hold_s: float
) -> None:
    """Brings an arm into one of ARM_POSES, with a little chance, and back."""
    targets = np.array(ARM_POSES[pose]) + rng.normal(0.0, 0.15, 4)
    slowest = float(np.abs(targets).max() / SLOW_ARM_RAD_S)
    rise, fall = (max(slowest, float(rng.uniform(0.35, 0.8))) for _ in range(2))
    for name, target in zip(ARM_CHANNELS, targets, strict=True):
        steps.gesture(f"{side}_{name}", float(target), start_s, rise, hold_s, fall)
    steps.gesture(f"{side}_wrist", float(rng.normal(0.0, 0.25)), start_s, rise, hold_s, fall)


def gesticulate(steps: Footsteps, rng: np.random.Generator, start_s: float, hold_s: float) -> None:
    """One or both arms take a pose; both mostly the same one."""
    names = list(ARM_POSES)
    pose = names[rng.integers(len(names))]
    which = rng.integers(3)
    for i, side in enumerate(SIDES):
        if which in (i, 2):
            pose_arm(steps, rng, side, pose, start_s, hold_s)
            if rng.random() < 0.3:
                pose = names[rng.integers(len(names))]


def look_around(steps: Footsteps, rng: np.random.Generator, start_s: float) -> None:
    """Turns the head, and the trunk a little with it."""
    turn = float(rng.uniform(-0.9, 0.9))
    hold = float(rng.uniform(0.2, 1.0))
    steps.gesture("head_yaw", turn, start_s, 0.45, hold, 0.45)
    steps.gesture("twist", 0.3 * turn, start_s, 0.6, hold, 0.5)
    steps.gesture("head_pitch", float(rng.uniform(-0.2, 0.45)), start_s, 0.5, hold, 0.5)


def squat(steps: Footsteps, rng: np.random.Generator, depth: float, hold_s: float) -> None:
    """Bends the knees by `depth` leg lengths (0.5 is as low as sitting) and rises again."""
    start = steps.now_s + 0.35
    down = float(rng.uniform(0.6, 1.0)) + 0.6 * depth
    up = down * float(rng.uniform(0.8, 1.2))
    lean = float(np.clip(1.6 * depth + rng.normal(0.0, 0.1), 0.0, 1.1))
    drop = steps.style.knee_bend_m + depth * steps.body.leg_length_m
    steps.gesture("drop", drop, start, down, hold_s, up)
    steps.gesture("lean", lean, start, down, hold_s, up)
    if rng.random() < 0.7:
        pose = ("forward", "carry", "chest")[rng.integers(3)]
        for side in SIDES:
            pose_arm(steps, rng, side, pose, start, hold_s + 0.5 * down)
    steps.stand(0.35 + down + hold_s + up)


def reach(steps: Footsteps, rng: np.random.Generator) -> None:
    """Reaches up, forward or down to the floor with one or both arms."""
    start, rise = steps.now_s + 0.3, float(rng.uniform(0.6, 1.0))
    hold, fall = float(rng.uniform(0.2, 0.8)), float(rng.uniform(0.6, 1.0))
    low = rng.random() < 0.5
    if low:
        depth = float(rng.uniform(0.05, 0.3))
        drop = steps.style.knee_bend_m + depth * steps.body.leg_length_m
        steps.gesture("drop", drop, start, rise, hold, fall)
        steps.gesture("lean", float(rng.uniform(0.8, 1.4)), start, rise, hold, fall)
        steps.gesture("twist", float(rng.normal(0.0, 0.25)), start, rise, hold, fall)
    else:
        steps.gesture("side", float(rng.normal(0.0, 0.15)), start, rise, hold, fall)
        steps.gesture("head_pitch", float(rng.uniform(-0.5, 0.0)), start, rise, hold, fall)
    pose = ("forward", "diagonal")[rng.integers(2)] if low else ("up", "diagonal")[rng.integers(2)]
    which = rng.integers(3)
    for i, side in enumerate(SIDES):
        if which in (i, 2):
            pose_arm(steps, rng, side, pose, start, hold)
    steps.stand(0.3 + rise + hold + fall)


def hop(steps: Footsteps, rng: np.random.Generator) -> None:
    """Jumps on the spot or a little forward."""
    ahead = np.array([np.cos(steps.heading_rad), np.sin(steps.heading_rad)])
    place = steps.place_m + rng.uniform(0.0, 0.35) * ahead
    if steps.terrain.height_at(place) == steps.terrain.height_at(steps.place_m):
        steps.jump_to(place, crouch=rng.uniform(0.2, 0.4), apex_m=rng.uniform(0.12, 0.25))
