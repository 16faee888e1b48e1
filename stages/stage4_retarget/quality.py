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
from stages.stage4_retarget.tracking import (
    above_ground_m,
    hips_off_path_m,
    key_points_m,
    limb_direction_deg,
    still_joints,
)

# A sole point is looked for under surfaces up to this much above it, m.
DEEPEST_M = 0.35
# A sole in contact is this near to its surface, m.
KEPT_M = 0.02


@dataclass(frozen=True)
class Quality:
    """Measures of a motion; lengths in metres, shares from 0 to 1.

    `foot_sliding_m_s`: mean speed of heels and toes between frames in contact.
    `below_ground_mean_m`, `below_ground_worst_m`: how deep the lower end of each sole is in the
    mesh, mean over feet and frames, and the deepest sole point of all.
    `body_below_ground_mean_m`, `body_below_ground_worst_m`: the same of the deepest part but the
    feet.
    `contact_kept`: share of the feet in contact whose sole is within `KEPT_M` of the surface.
    `above_ground_m`: how high the lowest point is while the surface carries the person (90 %).
    `self_collision_m`: depth of the deepest overlap of two capsules.
    `limb_direction_deg`, `key_points_m`: mean differences from the person.
    `hips_off_path_m`: the largest horizontal distance from the person's hips.
    `still_joints`: joints that never turn while the person moves.
    """

    joint_limit_violations: int
    velocity_within_limits: float
    joint_speed_worst_rad_s: float
    joint_acceleration_worst_rad_s2: float
    root_speed_worst_m_s: float
    root_acceleration_worst_m_s2: float
    foot_sliding_m_s: float
    below_ground_mean_m: float
    below_ground_worst_m: float
    body_below_ground_mean_m: float
    body_below_ground_worst_m: float
    contact_kept: float
    above_ground_m: float
    self_collision_m: float
    limb_direction_deg: float
    key_points_m: float
    hips_off_path_m: float
    still_joints: int

    @property
    def doubts(self) -> list[str]:
        """What is out of its range, in words."""
        values = [(getattr(self, name), bound, text) for name, bound, text in DOUBTFUL]
        return [text.format(value) for value, bound, text in values if value > bound]


DOUBTFUL: tuple[tuple[str, float, str], ...] = (
    ("foot_sliding_m_s", 0.06, "feet in contact slide {:.2f} m/s"),
    ("below_ground_worst_m", 0.03, "a foot is {:.2f} m in the ground"),
    ("body_below_ground_worst_m", 0.03, "the body is {:.2f} m in the ground"),
    ("above_ground_m", 0.05, "it floats {:.2f} m over what carries the person"),
    ("root_speed_worst_m_s", 8.0, "the pelvis moves at {:.0f} m/s"),
    ("self_collision_m", 0.02, "limbs are {:.2f} m in each other"),
    ("limb_direction_deg", 15.0, "limbs point {:.0f} degrees from the person's"),
    ("hips_off_path_m", 0.3, "the hips are {:.2f} m off the person's path"),
    ("still_joints", 0, "{} joints never turn"),
)
"""Measures that a sound motion stays below, the bound, and what a larger value means."""


def measure(
    robot: Robot,
    R_world_root: Float[np.ndarray, "T 3 3"],
    p_world_root: Float[np.ndarray, "T 3"],
    joints: Float[np.ndarray, "T J"],
    contacts: Bool[np.ndarray, "T 2"],
    times_s: Float[np.ndarray, " T"],
    terrain: Terrain,
    person: Float[np.ndarray, "T 45 3"],
) -> Quality:
    """Measure a motion on a terrain; without a mesh nothing counts as below or above ground.

    Args:
        person: SMPL-45 joints (world, m) of whom the robot follows.
    """
    R, p = link_trajectories(robot, R_world_root, p_world_root, joints)
    soles = sole_trajectories(robot, R, p)
    bottoms = capsule_bottoms(robot, R, p)
    depth, body_depth = depths(soles, terrain), body_depths(robot, R, p, terrain)
    speed, root_velocity = _rates(joints, times_s), _rates(p_world_root, times_s)
    between_s = (times_s[1:] + times_s[:-1]) / 2
    root_acceleration = np.linalg.norm(_rates(root_velocity, between_s), axis=1)
    return Quality(
        joint_limit_violations=int(((joints < robot.lower) | (joints > robot.upper)).sum()),
        velocity_within_limits=float((np.abs(speed) <= robot.velocity).mean()) if speed.size else 1,
        joint_speed_worst_rad_s=float(np.abs(speed).max(initial=0.0)),
        joint_acceleration_worst_rad_s2=float(np.abs(_rates(speed, between_s)).max(initial=0.0)),
        root_speed_worst_m_s=float(np.linalg.norm(root_velocity, axis=1).max(initial=0.0)),
        root_acceleration_worst_m_s2=float(root_acceleration.max(initial=0.0)),
        foot_sliding_m_s=foot_sliding_m_s(soles, contacts, times_s),
        below_ground_mean_m=float(depth.max(axis=-1).mean()),
        below_ground_worst_m=float(depth.max()),
        body_below_ground_mean_m=float(body_depth.mean()),
        body_below_ground_worst_m=float(body_depth.max(initial=0.0)),
        contact_kept=_contact_kept(soles, contacts, terrain),
        above_ground_m=above_ground_m(person, bottoms.reshape(len(p), -1, 3), terrain),
        self_collision_m=deepest_overlap_m(robot, R, p),
        limb_direction_deg=limb_direction_deg(robot, person, p),
        key_points_m=key_points_m(robot, person, p),
        hips_off_path_m=hips_off_path_m(person, p_world_root),
        still_joints=still_joints(robot, person, joints),
    )


def _rates(values: Float[np.ndarray, "T k"], times_s: Float[np.ndarray, " T"]) -> np.ndarray:
    """Change a second between rows."""
    return np.diff(values, axis=0) / np.diff(times_s)[:, None]


def _contact_kept(
    soles: Float[np.ndarray, "T 2 4 3"], contacts: Bool[np.ndarray, "T 2"], terrain: Terrain
) -> float:
    if terrain.empty or not contacts.any():
        return 1.0
    touching = soles[contacts]
    surface = terrain.surface_at(touching.reshape(-1, 3), DEEPEST_M).reshape(touching.shape[:2])
    height = np.abs(touching[..., 2] - surface)
    return float((np.where(np.isnan(height), np.inf, height).min(axis=1) <= KEPT_M).mean())


def worst(parts: Sequence[Quality]) -> Quality:
    """The worst of several motions, measure by measure."""
    choose = {"velocity_within_limits": min, "contact_kept": min}
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
    lowest = capsule_bottoms(robot, R, p)[:, :, ~np.isin(robot.capsules.link, feet)]
    raised = lowest + np.array([0.0, 0.0, DEEPEST_M])
    below = terrain.surface_below(raised.reshape(-1, 3)).reshape(lowest.shape[:3]) - lowest[..., 2]
    return np.maximum(np.nan_to_num(below), 0.0).max(axis=(1, 2), initial=0.0)


def capsule_bottoms(
    robot: Robot, R: Float[np.ndarray, "T L 3 3"], p: Float[np.ndarray, "T L 3"]
) -> Float[np.ndarray, "T 2 B 3"]:
    """The lowest points of both ends of all capsules (world, m)."""
    capsules = robot.capsules
    ends = np.stack([capsules.start, capsules.end])
    centres = p[:, None, capsules.link] + np.einsum("tnij,enj->teni", R[:, capsules.link], ends)
    return centres - capsules.radius[:, None] * np.array([0.0, 0.0, 1.0])
