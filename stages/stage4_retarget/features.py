"""What the terms of a frame look at: places on the robot in groups, and their derivatives."""

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from stages.robot.collision import (
    capsule_ends,
    moved_pair_distances,
    pair_distances,
    self_collision_pairs,
)
from stages.robot.correspondence import g1_correspondence
from stages.robot.kinematics import PointSet, moved_points, points_on_links, world_points
from stages.robot.limbs import sole_points_m
from stages.robot.model import Robot
from stages.stage4_retarget.variables import Constants, Pose, Target

Features = dict[str, Array]


class RobotFeatures:
    """A robot's constant tables, and features of its poses.

    Groups of a frame's features: `limbs` (E, 3) vectors along limbs, `layout` (N, 3) matched
    points about their centre, `toes` (2, 3) front sole points, `soles` (8, 3) sole points, `ends`
    (B, 3) ends of the capsules but the feet's, `gaps` (C, 1) between pairs of capsules. Pairs of
    frames look at heel and toe of each foot (2, 2, 3).
    """

    def __init__(self, robot: Robot) -> None:
        self.robot = robot
        self.table = g1_correspondence(robot)
        self.pairs = self_collision_pairs(robot)
        ankles = [robot.link("left_ankle_roll_link"), robot.link("right_ankle_roll_link")]
        soles = np.concatenate([sole_points_m(robot, "left"), sole_points_m(robot, "right")])
        on_soles = points_on_links(robot, np.repeat(ankles, 4), soles)
        start, end = capsule_ends(robot)
        matched = points_on_links(robot, self.table.link)
        self.points = _joined([matched, on_soles, start, end])
        self.cuts = np.cumsum([len(matched.body), len(on_soles.body), len(start.body)])
        self.off_ground = np.flatnonzero(~np.isin(robot.capsules.link, ankles)).astype(np.int32)

    def features(
        self, x: Pose, log_ratio: Array, target: Target, constants: Constants
    ) -> tuple[Features, Float[Array, "2 2 3"]]:
        """For the frame's terms, and for those of pairs."""
        places = world_points(self.robot, self.points, x.R, x.p, x.joints)
        _, _, start, end = jnp.split(places, self.cuts)
        features, feet = self._linear(places)
        features["gaps"] = pair_distances(self.robot, start, end, self.pairs)[:, None]
        return features, feet

    def jacobian(
        self, x: Pose, target: Target, constants: Constants
    ) -> tuple[Features, Float[Array, "2 2 3 29"]]:
        """Derivatives of `features` by the frame's tangent, along another, last axis."""
        places, moved, axes = moved_points(self.robot, self.points, x.R, x.p, x.joints)
        _, _, start, end = jnp.split(places, self.cuts)
        features, feet = self._linear(moved)
        by_joints = moved_pair_distances(self.robot, start, end, self.pairs, axes)
        features["gaps"] = jnp.pad(by_joints, ((0, 0), (6, 0)))[:, None]
        return features, feet

    def _linear(self, places: Float[Array, "N 3 *n"]) -> tuple[Features, Array]:
        """Linear in the places, so that it takes their derivatives to those of the features."""
        matched, soles, start, end = jnp.split(places, self.cuts)
        feet = soles.reshape(2, 2, 2, *places.shape[1:]).mean(axis=2)
        features = {
            "limbs": self.limbs_of(matched),
            "layout": centred(matched),
            "toes": feet[:, 1],
            "soles": soles,
            "ends": jnp.concatenate([start[self.off_ground], end[self.off_ground]]),
        }
        return features, feet

    def limbs_of(self, points: Float[Array, " N *b"]) -> Float[Array, " E *b"]:
        """Vectors along the limbs between matched points."""
        return points[self.table.limbs[:, 1]] - points[self.table.limbs[:, 0]]


def centred(points: Float[Array, " N *b"]) -> Float[Array, " N *b"]:
    """Points about their centre."""
    return points - jnp.mean(points, axis=0)


def _joined(sets: list[PointSet]) -> PointSet:
    return PointSet(
        np.concatenate([points.body for points in sets]),
        np.concatenate([points.offset for points in sets]),
    )
