"""What is solved for, what it is held against, and what all frames share."""

from typing import Any, NamedTuple

from jaxtyping import Float

from stages.robot.terrain import HeightField


class Pose(NamedTuple):
    """A frame's variables: root link in the world, joint angles (m, rad)."""

    R: Float[Any, "3 3"]
    p: Float[Any, "3"]
    joints: Float[Any, " J"]


class Target(NamedTuple):
    """What a frame is to look like; see `foot_targets.FootTargets` for the feet."""

    points: Float[Any, "N 3"]
    """The person's joints that have a link of the robot (world, m)."""
    R_root: Float[Any, "3 3"]
    pelvis: Float[Any, "3"]
    feet: Float[Any, "2 3"]
    contact: Float[Any, "2"]
    """Number of the contact that each foot is in, 0 in swing."""
    ground_z: Float[Any, "2 2"]
    time_s: Float[Any, ""]
    follow: Float[Any, ""]
    """How much the terms that follow the person count: 1 where they were seen."""


class Constants(NamedTuple):
    """What all frames share and does not move."""

    weights: dict[str, Float[Any, ""]]
    """By term: the user's weight times the term's gain."""
    collision_margin_m: Float[Any, ""]
    ratios: Float[Any, " K"]
    """Where the limb ratios start: the person's length over the robot's, by kind of limb."""
    scale: Float[Any, ""]
    rest: Float[Any, " J"]
    ground: HeightField
    raised_ground: HeightField
