"""Stage 4's cases, and what the motions are worth on the true ground."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from bench.robustness import clips
from bench.robustness import disturbances as disturbed
from stages.geometry.block_terrain import Terrain as Place
from stages.robot.model import Robot
from stages.robot.rest import link_trajectories
from stages.robot.terrain import Terrain
from stages.stage4_retarget.quality import Quality, body_depths, measure
from stages.stage4_retarget.retarget import Person, Retargeted, retarget

CLIPS = tuple((kind, seed) for kind in clips.KINDS for seed in (101, 102))
"""Kinds and seeds of the table; 100 frames each."""


@dataclass(frozen=True)
class Motion:
    """A motion found, the person it follows, its quality on the true ground, and how deep the
    deepest part of the body but the feet is under that (m)."""

    person: Person
    found: Retargeted
    quality: Quality
    body_below_ground_m: float

    @property
    def feasible(self) -> bool:
        """No joint past its limits, joint speeds within theirs in 99.5 % of steps, limbs and
        ground at most a centimetre into each other, finite, converged."""
        found, quality = self.found, self.quality
        return (
            bool(np.isfinite(found.joints).all() and np.isfinite(found.p_world_root).all())
            and found.converged
            and found.clipped_rad < 1e-6
            and quality.joint_limit_violations == 0
            and quality.velocity_within_limits >= 0.995
            and quality.self_collision_m <= 0.01
            and self.body_below_ground_m <= 0.01
        )


Disturbance = Callable[[Person, Place, Terrain], tuple[Person, Terrain]]

CASES: dict[str, Disturbance] = {
    "undisturbed": lambda person, place, ground: (person, ground),
    "lying on the back": lambda person, place, ground: (disturbed.lying(person, place), ground),
    "lying on the side": lambda person, place, ground: (
        disturbed.lying(person, place, on_the_back=False),
        ground,
    ),
    "arms crossed": lambda person, place, ground: (disturbed.with_arms_crossed(person), ground),
    "left foot 8 cm too low": lambda person, place, ground: (
        disturbed.with_foot_sunk(person),
        ground,
    ),
    "holes under every other stance": lambda person, place, ground: (
        person,
        disturbed.with_holes(place, person),
    ),
    "no mesh": lambda person, place, ground: (person, clips.no_terrain()),
    "contacts all zero": lambda person, place, ground: (disturbed.without_contacts(person), ground),
}


def moved(robot: Robot, case: str, kind: str, seed: int = clips.SEED) -> Motion:
    """What stage 4 makes of a case of a clip."""
    place, ground = clips.place(kind, seed), clips.terrain(kind, seed)
    person, given = CASES[case](clips.person(kind, seed=seed), place, ground)
    found = retarget(robot, person, given)
    pose = found.R_world_root, found.p_world_root, found.joints
    quality = measure(robot, *pose, found.contacts, person.times_s, ground, person.joints)
    depths_m = body_depths(robot, *link_trajectories(robot, *pose), ground)
    return Motion(person, found, quality, float(depths_m.max()))
