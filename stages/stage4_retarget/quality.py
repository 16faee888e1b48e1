"""What a robot motion is worth: measured on the finished motion, in float64, without the solver."""

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
from jaxtyping import Bool, Float

from stages.robot.collision import deepest_overlap_m
from stages.robot.model import Robot
from stages.robot.rest import link_trajectories
from stages.robot.soles import foot_sliding_m_s, sole_trajectories
from stages.robot.terrain import Terrain

# A sole point is looked for under surfaces up to this much above it, m.
DEEPEST_M = 0.35


@dataclass(frozen=True)
class Quality:
    """Measures of a motion; lengths in metres, shares from 0 to 1.

    `foot_sliding_m_s`: mean speed of heels and toes between frames in contact.
    `below_ground_mean_m`, `below_ground_worst_m`: how deep the lower end of each sole is in the
    mesh, mean over feet and frames, and the deepest sole point of all.
    `self_collision_m`: depth of the deepest overlap of two capsules.
    """

    joint_limit_violations: int
    velocity_within_limits: float
    joint_speed_worst_rad_s: float
    root_speed_worst_m_s: float
    foot_sliding_m_s: float
    below_ground_mean_m: float
    below_ground_worst_m: float
    self_collision_m: float


def measure(
    robot: Robot,
    R_world_root: Float[np.ndarray, "T 3 3"],
    p_world_root: Float[np.ndarray, "T 3"],
    joints: Float[np.ndarray, "T J"],
    contacts: Bool[np.ndarray, "T 2"],
    times_s: Float[np.ndarray, " T"],
    terrain: Terrain,
) -> Quality:
    """Measure a motion on a terrain; without a mesh nothing counts as below ground."""
    R, p = link_trajectories(robot, R_world_root, p_world_root, joints)
    soles = sole_trajectories(robot, R, p)
    depth = depths(soles, terrain)
    speed = np.abs(np.diff(joints, axis=0)) / np.diff(times_s)[:, None]
    root_speed = np.linalg.norm(np.diff(p_world_root, axis=0), axis=1) / np.diff(times_s)
    return Quality(
        joint_limit_violations=int(((joints < robot.lower) | (joints > robot.upper)).sum()),
        velocity_within_limits=float((speed <= robot.velocity).mean()) if speed.size else 1.0,
        joint_speed_worst_rad_s=float(speed.max(initial=0.0)),
        root_speed_worst_m_s=float(root_speed.max(initial=0.0)),
        foot_sliding_m_s=foot_sliding_m_s(soles, contacts, times_s),
        below_ground_mean_m=float(depth.max(axis=-1).mean()),
        below_ground_worst_m=float(depth.max()),
        self_collision_m=deepest_overlap_m(robot, R, p),
    )


def worst(parts: Sequence[Quality]) -> Quality:
    """The worst of several motions, measure by measure."""
    choose = {"velocity_within_limits": min}
    names = [each.name for each in fields(Quality)]
    return Quality(
        **{name: choose.get(name, max)(getattr(part, name) for part in parts) for name in names}
    )


def depths(soles: Float[np.ndarray, "T 2 4 3"], terrain: Terrain) -> Float[np.ndarray, "T 2 4"]:
    """How far each sole point is below the surface (m); zero above it and where there is none."""
    points = soles.reshape(-1, 3)
    surface = terrain.surface_below(points + np.array([0.0, 0.0, DEEPEST_M]))
    below = np.where(np.isnan(surface), 0.0, surface - points[:, 2])
    return np.maximum(below, 0.0).reshape(soles.shape[:3])


def body_depths(
    robot: Robot,
    R: Float[np.ndarray, "T L 3 3"],
    p: Float[np.ndarray, "T L 3"],
    terrain: Terrain,
) -> Float[np.ndarray, " T"]:
    """How far the deepest capsule but the feet's is below the surface (m); zero without one."""
    feet = [robot.link(f"{side}_ankle_roll_link") for side in ("left", "right")]
    capsules = robot.capsules
    body = ~np.isin(capsules.link, feet)
    link, radius = capsules.link[body], capsules.radius[body]
    deepest = np.zeros(len(R))
    for ends in (capsules.start[body], capsules.end[body]):
        centres = p[:, link] + np.einsum("tnij,nj->tni", R[:, link], ends)
        raised = centres + np.array([0.0, 0.0, DEEPEST_M])
        surface = terrain.surface_below(raised.reshape(-1, 3))
        below = surface.reshape(centres.shape[:2]) - (centres[..., 2] - radius)
        deepest = np.maximum(deepest, np.nan_to_num(below).max(axis=1))
    return deepest
