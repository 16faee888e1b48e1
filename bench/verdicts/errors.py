"""Errors that are put into finished clips, each as a person would reject it, by kind."""

from bench.verdicts import of_detections, of_people, of_places, of_robots
from bench.verdicts.clips import Change

ERRORS: dict[str, dict[str, Change]] = {
    "swapped limb": {
        "legs, half a second": of_people.swapped_limbs(of_people.LEGS, 0.4, 0.55),
        "legs, all of it": of_people.swapped_limbs(of_people.LEGS, 0, 1),
        "arms, half of it": of_people.swapped_limbs(of_people.ARMS, 0.5, 1),
    },
    "slid foot": {
        "person and robot, 0.5 m": of_places.slid(0.5),
        "robot, 0.3 m": of_robots.slid_robot(0.3),
    },
    "wrong scale": {
        "place x 0.75": of_places.wrong_world_scale(0.75),
        "place x 1.3": of_places.wrong_world_scale(1.3),
        "all x 1.3": of_places.wrong_person_scale(1.3),
        "all x 0.75": of_places.wrong_person_scale(0.75),
    },
    "lost track": {
        "a second of it": of_detections.lost_track(0.4, 0.7),
        "the end of it": of_detections.lost_track(0.6, 1),
        "somebody else": of_detections.other_person(0.6),
    },
    "frozen joint": {
        "moves most": of_robots.frozen_joint(0),
        "second": of_robots.frozen_joint(1),
        "third": of_robots.frozen_joint(2),
        "all": of_robots.frozen,
    },
    "wrong ground": {
        "lintel, 0.4 m up": of_places.ground_at(0.4),
        "0.25 m up": of_places.ground_at(0.25),
        "0.3 m down": of_places.ground_at(-0.3),
        "12 degrees tilted": of_places.tilted(12),
    },
    "mirrored": {"clip": of_detections.mirrored, "robot": of_robots.mirrored_robot},
    "unsteady": {
        "person trembles, 3 cm": of_people.shaking(0.03),
        "robot trembles, 3 degrees": of_robots.shaking_robot(0.05),
        "leap, 0.5 m": of_places.leap(0.5),
        "bones grow by 15 %": of_people.growing(1.15),
    },
    "impossible robot": {
        "floats, 10 cm": of_robots.raised_robot(0.1),
        "sinks, 10 cm": of_robots.raised_robot(-0.1),
        "arm through trunk": of_robots.arm_through_trunk,
        "knee the wrong way": of_robots.beyond_limits,
    },
}
"""By kind."""
