"""Retarget one person's whole trajectory to the robot."""

from dataclasses import dataclass
from typing import Any, NamedTuple

import jax
import numpy as np
from jaxtyping import Bool, Float

from stages.geometry.rotations import nearest_rotation
from stages.robot.collision import deepest_overlap_m
from stages.robot.correspondence import g1_correspondence
from stages.robot.model import Robot
from stages.robot.rest import link_trajectories
from stages.robot.terrain import HeightField, Terrain, raised_near_edges
from stages.solving import Limits, Solution, pad_frames, padded_length, solve
from stages.stage4_retarget.contacts import Flags, contact_numbers, foot_contacts, shins_up
from stages.stage4_retarget.foot_targets import (
    HEELS,
    TOES,
    FootTargets,
    flat_without_ground,
    foot_targets,
    surface_under,
)
from stages.stage4_retarget.ground import ground_under
from stages.stage4_retarget.initial import (
    body_scale,
    initial_root,
    limb_ratios,
    resting_joints,
)
from stages.stage4_retarget.problem import (
    frame_mask,
    relaxed,
    retargeting_problem,
    with_hard_limits,
)
from stages.stage4_retarget.quality import body_depths, capsule_bottoms
from stages.stage4_retarget.support import (
    about_support,
    carried_otherwise,
    faded,
    heights_m,
)
from stages.stage4_retarget.terms import term_weights
from stages.stage4_retarget.variables import Constants, Pose, Target
from stages.stage4_retarget.weights import CostWeights

DEFAULT_WEIGHTS = CostWeights()
# Soles keep this far from risers, m.
EDGE_CLEARANCE_M = 0.02
# First the body finds its pose and the feet their spots as if nothing were in the way; only then
# do surfaces push. Both at once trap a foot on the wrong side of a riser.
FIRST_LIMITS = Limits(max_iterations=20, cost_tolerance=1e-2, step_tolerance=1e-3)
# Shares of self-collision in that first solve, in the order they are tried.
SELF_COLLISION_SHARES = (0.3, 1.0, 0.0)
# Limbs deeper in each other than this are stuck, and the next share is tried, m.
DEEPEST_OVERLAP_M = 0.01
# A body deeper in the ground than this leans on it, m.
DEEPEST_IN_GROUND_M = 0.01
# A robot that is higher than this above what carries the person is lowered, so many times, m.
FLOATS_M, LOWERINGS = 0.01, 3
LIMITS = Limits(max_iterations=100, cost_tolerance=1e-5, step_tolerance=1e-4)
# What the terms that follow the person count where they were not seen.
UNSEEN_FOLLOW = 0.3


@dataclass(frozen=True)
class Person:
    """One person's motion in the world of the terrain: z up, metres, seconds.

    `joints` are SMPL-45, `R_world_root` SMPL's root axes (y up, z forward). `seen` is False in
    frames that are interpolated; None says that none is.
    """

    joints: Float[np.ndarray, "T 45 3"]
    R_world_root: Float[np.ndarray, "T 3 3"]
    times_s: Float[np.ndarray, " T"]
    flags: Flags
    seen: Bool[np.ndarray, " T"] | None = None

    @property
    def interpolated(self) -> Bool[np.ndarray, " T"]:
        return np.zeros(len(self.joints), bool) if self.seen is None else ~self.seen


@dataclass(frozen=True)
class Retargeted:
    """The robot's motion (world, m, rad), the feet's contacts, and how it was found.

    `joints` lie within the limits; `clipped_rad` is the largest correction that took. `ignored`
    says in words which wishes could not be used. `term_costs` are final costs by term.
    """

    R_world_root: Float[np.ndarray, "T 3 3"]
    p_world_root: Float[np.ndarray, "T 3"]
    joints: Float[np.ndarray, "T J"]
    contacts: Bool[np.ndarray, "T 2"]
    feet: FootTargets
    term_costs: dict[str, float]
    iterations: int
    converged: bool
    clipped_rad: float
    ignored: tuple[str, ...]


def retarget(
    robot: Robot, person: Person, terrain: Terrain, weights: CostWeights = DEFAULT_WEIGHTS
) -> Retargeted:
    """The robot motion that follows a person over a terrain.

    Works without a terrain, without contacts and for a single frame; says so in `ignored`.
    """
    toes, heels = (person.joints[:, points, :].astype(float) for points in (TOES, HEELS))
    ground_z = surface_under(terrain, toes)
    touching = foot_contacts(person.flags, toes, heels, ground_z, person.times_s)
    contacts = touching & shins_up(person.joints)
    scale = body_scale(g1_correspondence(robot), robot, person.joints)
    targets = foot_targets(person.joints, contacts, terrain)
    feet = about_support(targets, person.joints, person.times_s, terrain, scale)
    ground = ground_under(person.joints, terrain)
    setting = _setting(robot, person, feet, ground, scale, weights)
    solution = _best_of_starts(robot, setting)
    otherwise = carried_otherwise(person.joints, contacts, terrain)
    setting, solution = _lowered(robot, setting, terrain, solution, otherwise, person.times_s)
    solution = _within_limits(robot, setting, terrain, solution)
    pose = _pose(solution, len(person.joints))
    joints = np.clip(pose.joints, robot.lower, robot.upper)
    return Retargeted(
        R_world_root=pose.R,
        p_world_root=pose.p,
        joints=joints,
        contacts=contacts,
        feet=feet,
        term_costs={name: float(cost) for name, cost in solution.term_costs.items()},
        iterations=int(solution.iterations),
        converged=bool(solution.converged),
        clipped_rad=float(np.abs(joints - pose.joints).max(initial=0.0)),
        ignored=_ignored(person, touching, feet, terrain),
    )


class _Setting(NamedTuple):
    """Everything the solver is given, padded."""

    start: Pose
    target: Target
    constants: Constants
    frames: int
    length: int


def _setting(
    robot: Robot,
    person: Person,
    feet: FootTargets,
    ground: HeightField,
    scale: float,
    weights: CostWeights,
) -> _Setting:
    table = g1_correspondence(robot)
    frames = len(person.joints)
    length = padded_length(frames)
    R, p = initial_root(person.joints, person.R_world_root, scale)
    rest = resting_joints(robot)
    target = Target(
        points=person.joints[None][:, :, table.smpl],
        R_root=person.R_world_root[None],
        pelvis=person.joints[None][:, :, 0],
        feet=feet.position[None],
        contact=contact_numbers(feet.contact)[None],
        ground_z=flat_without_ground(feet)[None],
        time_s=(person.times_s - person.times_s[0])[None],
        follow=np.where(person.interpolated, UNSEEN_FOLLOW, 1.0)[None],
    )
    constants = Constants(
        weights=term_weights(weights),
        collision_margin_m=weights.world_coll_margin,
        ratios=limb_ratios(table, robot, person.joints),
        scale=np.float32(scale),
        rest=rest,
        ground=ground,
        raised_ground=raised_near_edges(ground, EDGE_CLEARANCE_M),
    )
    start = Pose(R[None], p[None], np.tile(rest, (1, frames, 1)))
    return _Setting(
        _float32(pad_frames(start, length)),
        _float32(pad_frames(target, length)),
        _float32(constants),
        frames,
        length,
    )


def _best_of_starts(robot: Robot, setting: _Setting) -> Solution:
    """The best of a few starts; the first suffices unless limbs got stuck in each other."""
    best: Solution | None = None
    for share in SELF_COLLISION_SHARES:
        solution = _solve(robot, setting, share)
        if best is None or float(solution.cost) < float(best.cost):
            best = solution
        if deepest_overlap_m(robot, *_links(robot, setting, solution)) < DEEPEST_OVERLAP_M:
            return solution
    assert best is not None
    return best


def _lowered(
    robot: Robot,
    setting: _Setting,
    terrain: Terrain,
    found: Solution,
    otherwise: Bool[np.ndarray, " T"],
    times_s: Float[np.ndarray, " T"],
) -> tuple[_Setting, Solution]:
    """Solved on with lower feet where others of the person's parts carry and the robot floats: its
    arms are shorter than its size says."""
    for _ in range(LOWERINGS):
        bottoms = capsule_bottoms(robot, *_links(robot, setting, found))
        height = heights_m(bottoms.reshape(setting.frames, -1, 3), terrain)
        over = np.where(otherwise & np.isfinite(height), height, 0.0)
        if over.max(initial=0.0) <= FLOATS_M:
            break
        feet = np.array(setting.target.feet)
        feet[0, : setting.frames, :, 2] -= faded(over, times_s)[:, None]
        lower = setting._replace(target=setting.target._replace(feet=feet))
        tried = _minimise(robot, lower, setting.constants, found.frames, found.shared, LIMITS)
        if _in_ground(robot, setting, terrain, tried):
            break
        setting, found = lower, tried
    return setting, found


def _solve(robot: Robot, setting: _Setting, self_collision: float) -> Solution:
    """First relaxed, then as wished."""
    constants, nothing = setting.constants, np.zeros(len(setting.constants.ratios), np.float32)
    first = relaxed(constants, self_collision)
    found = _minimise(robot, setting, first, setting.start, nothing, FIRST_LIMITS)
    return _minimise(robot, setting, constants, found.frames, found.shared, LIMITS)


def _within_limits(robot: Robot, setting: _Setting, terrain: Terrain, found: Solution) -> Solution:
    """Solved on with harder limits if the motion goes past those of joints, into itself or into
    the ground."""
    joints = _pose(found, setting.frames).joints
    past = (joints < robot.lower) | (joints > robot.upper)
    overlap_m = deepest_overlap_m(robot, *_links(robot, setting, found))
    in_ground = _in_ground(robot, setting, terrain, found)
    if not (past.any() or in_ground or overlap_m > DEEPEST_OVERLAP_M):
        return found
    constants = with_hard_limits(setting.constants)
    return _minimise(robot, setting, constants, found.frames, found.shared, LIMITS)


def _minimise(
    robot: Robot,
    setting: _Setting,
    constants: Constants,
    pose: Pose,
    log_ratio: Float[Any, " K"],
    limits: Limits,
) -> Solution:
    mask = frame_mask(setting.frames, setting.length)
    problem = retargeting_problem(robot)
    return solve(problem, pose, log_ratio, setting.target, constants, mask, limits=limits)


def _pose(solution: Solution, frames: int) -> Pose:
    """The solved poses without padding, in float64, roots made exact rotations."""
    R, p, joints = (np.asarray(leaf)[0, :frames].astype(float) for leaf in solution.frames)
    return Pose(nearest_rotation(R), p, joints)


def _links(robot: Robot, setting: _Setting, found: Solution) -> tuple[np.ndarray, np.ndarray]:
    """World rotations and places of all links."""
    return link_trajectories(robot, *_pose(found, setting.frames))


def _in_ground(robot: Robot, setting: _Setting, terrain: Terrain, found: Solution) -> bool:
    depth = body_depths(robot, *_links(robot, setting, found), terrain)
    return bool(depth.max(initial=0.0) > DEEPEST_IN_GROUND_M)


def _float32(tree):
    return jax.tree.map(lambda leaf: np.asarray(leaf, np.float32), tree)


def _ignored(
    person: Person, touching: Bool[np.ndarray, "T 2"], feet: FootTargets, terrain: Terrain
) -> tuple[str, ...]:
    """`touching` are the feet that touch and stay, whatever the legs do."""
    said, frames = [], len(touching)
    if terrain.empty:
        said.append("no mesh: nothing says where the ground is, feet keep the person's heights")
    gaps = int(person.interpolated.sum())
    if gaps:
        said.append(f"not seen in {gaps} of {frames} frames: solved through")
    unknown = int((~person.flags.known & ~person.interpolated).sum())
    if unknown:
        said.append(f"contacts unknown in {unknown} of {frames} frames: motion decides")
    lying = int((touching & ~feet.contact).any(axis=1).sum())
    if lying:
        said.append(f"feet touch in {lying} of {frames} frames with the shin down: no contact")
    if not feet.contact.any():
        said.append("no foot is ever in contact: feet follow the person's freely")
    without = int((feet.contact & np.isnan(feet.ground_z).all(axis=2)).any(axis=1).sum())
    if without and not terrain.empty:
        said.append(
            f"no ground at the feet in {without} frames of contact: they keep the person's height"
        )
    return tuple(said)
